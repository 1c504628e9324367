"""Grafana in containers: the dashboards are there, their data source too, and what happens is noted on them."""

import json
import time
from typing import Any

from tests.containers.conftest import Containers
from tests.platform import Platform, eventually

ASK = """
import httpx, pathlib
password = pathlib.Path("/run/keys/grafana").read_text().strip()
print(httpx.get("http://grafana:8370{path}", auth=("admin", password)).raise_for_status().text)
"""


def asked(containers: Containers, path: str) -> list[dict[str, Any]]:
    """What Grafana tells the service that may write to it."""
    done = containers.inside("monitoring", ASK.format(path=path))
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


def test_the_dashboards_are_there(containers: Containers) -> None:
    assert {board["uid"] for board in asked(containers, "/api/search")} >= {"platform", "service"}
    sources = {source["uid"]: source["url"] for source in asked(containers, "/api/datasources")}
    assert sources["prometheus"] == "http://prometheus:8310"


def test_the_first_releases_were_taken(containers: Containers, platform: Platform) -> None:
    http = platform.user("operator").http

    def sent() -> list[dict[str, Any]]:
        """Every release, once Grafana has taken all of them; it may have come up later than the models."""
        asked = http.get("/api/monitoring/annotations", params={"kind": "release"}).json()
        notes: list[dict[str, Any]] = asked["annotations"]
        return notes if len(notes) >= 3 and all(note["sent_at"] for note in notes) else []

    texts = [note["text"] for note in eventually(sent, "the releases at Grafana", 60)]
    assert len(set(texts)) == len(texts)
    assert all("is the champion" in text for text in texts)


def test_a_training_is_noted_on_the_graphs(containers: Containers, platform: Platform) -> None:
    why = f"asked for at {time.time()}"
    body = {"models": ["image_quick"], "why": why}
    answer = platform.user("operator").http.post("/api/trainer/runs", json=body)
    assert answer.status_code == 202, answer.text

    def noted() -> list[str]:
        texts = [note["text"] for note in asked(containers, "/api/annotations?tags=training")]
        return [text for text in texts if why in text]

    assert len(eventually(noted, "the training on Grafana's graphs", 120)) == 1
