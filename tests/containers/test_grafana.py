"""Grafana in containers: the dashboards are there, their data source too, and releases are noted on them."""

import json
from typing import Any

from tests.containers.conftest import Containers
from tests.platform import eventually

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


def test_the_first_releases_are_noted(containers: Containers) -> None:
    notes = eventually(lambda: asked(containers, "/api/annotations?tags=release"), "a release on Grafana's graphs")
    assert all("is the champion" in note["text"] for note in notes)
    assert len({note["text"] for note in notes}) == len(notes)
