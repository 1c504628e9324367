"""kill -9 of workers in the middle of jobs: every accepted job gets its answer, once; poison is buried and replayed."""

import os
import signal
import subprocess
import time

import pytest

from scripts.runner import board
from tests.platform import Platform, eventually, photo

WORKER = "inference-async"
JOBS = 40


def killed(platform: Platform) -> int:
    """kill -9 of every worker that runs; how many that were."""
    assert platform.state_dir
    state = board.read(platform.state_dir)
    assert state
    found = [unit.pid for unit in state.units if unit.service == WORKER and unit.pid]
    for pid in found:
        os.kill(pid, signal.SIGKILL)
    return len(found)


@pytest.mark.timeout(300)
def test_jobs_survive_the_death_of_all_workers(platform: Platform) -> None:
    if platform.state_dir is None:
        pytest.skip("processes of a platform that was not started here cannot be killed")
    user = platform.user(number=1)
    places = []
    for number in range(JOBS):
        content = photo("flower", salt=number + time.time_ns() % 2**31)
        answer = user.http.post("/v2/models/image_screening/async", content=content)
        assert answer.status_code == 202, answer.text
        places.append(answer.headers["location"])
    assert killed(platform) >= 1

    def done(place: str) -> dict[str, object] | None:
        answer = user.http.get(place)
        return dict(answer.json()) if answer.status_code == 200 else None

    jobs = [eventually(lambda place=place: done(place), f"the answer of {place}", 60) for place in places]  # type: ignore[misc]
    assert {job["state"] for job in jobs} == {"done"}
    assert {job["prediction"]["served_by"] for job in jobs} == {"model"}  # type: ignore[index]
    assert max(int(str(job["attempts"])) for job in jobs) <= 3


@pytest.mark.timeout(300)
def test_poison_is_buried_decided_by_a_person_or_replayed(platform: Platform) -> None:
    if platform.state_dir is None:
        pytest.skip("pictures of a platform that was not started here cannot be taken away")
    user = platform.user(number=1)
    stored = user.upload(photo("cat", salt=time.time_ns() % 2**32))
    original = platform.state_dir / "volumes" / "files" / "pictures" / stored[:2] / stored / "original"
    away = original.with_suffix(".away")
    original.rename(away)
    try:
        answer = user.http.post("/api/items", json={"image_id": stored, "title": "poison", "description": ""})
        assert answer.status_code == 201, answer.text
        item = user.decided(answer.json()["id"], 60)
        assert item["state"] == "needs_review"
    finally:
        away.rename(original)
    operator = platform.user("operator").http
    eventually(
        lambda: any(one["subject"] == item["id"] for one in operator.get("/api/dead-letters").json()),
        "the dead letter",
        30,
    )
    said = subprocess.run(
        ["scripts/replay-dead-letters", "item.registered"], capture_output=True, text=True, check=True
    ).stdout
    assert "sent again" in said

    def published() -> bool:
        return bool(user.item(item["id"])["state"] == "published")

    eventually(published, "the verdict after the replay", 60)
