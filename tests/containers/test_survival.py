"""`docker compose down` and `up` again keep items, models and metrics."""

import time
from typing import Any

import httpx
import pytest

from scripts.containers.figures import Figures
from tests.containers.conftest import Containers
from tests.platform import Platform, User, eventually, photo

MODELS = ("image_screening", "image_quick", "text_violation")
AGAIN_WITHIN_SECONDS = 90


def versions(user: User) -> dict[str, str]:
    """What serves, by model."""
    answers = {name: user.http.get(f"/v2/models/{name}") for name in MODELS}
    return {name: str(answer.json()["versions"]) for name, answer in answers.items()}


def scraped(containers: Containers, at: float) -> list[dict[str, Any]]:
    """What Prometheus knows of a moment."""
    address = containers.compose("port", "prometheus", "8310").strip()
    answer = httpx.get(f"http://{address}/api/v1/query", params={"query": "up == 1", "time": str(at)})
    return sorted(answer.json()["data"]["result"], key=str)


@pytest.mark.timeout(600)
def test_down_and_up_keep_everything(containers: Containers, platform: Platform, figures: Figures) -> None:
    user = platform.user()
    item = user.decided(user.register(photo("cat", salt=time.time_ns() % 2**32), "長く残るねこ outlasting")["id"])
    models, now = versions(user), time.time()
    metrics = scraped(containers, now)
    assert len(metrics) > 5
    containers.compose("down")
    began = time.monotonic()
    containers.compose("up", "-d", "--wait")
    figures.add("down, and up again with everything kept", time.monotonic() - began, "s", AGAIN_WITHIN_SECONDS)
    user = platform.user(number=1)
    assert user.item(item["id"])["searchable_at"] == item["searchable_at"]
    assert item["id"] in user.found(q="outlasting")
    eventually(lambda: versions(user) == models, "the models of before")
    assert scraped(containers, now) == metrics
