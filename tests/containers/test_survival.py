"""`docker compose down` and `up` again keep items and models; only `down -v` forgets."""

import time

import pytest

from tests.containers.conftest import Containers
from tests.platform import Platform, User, eventually, photo

MODELS = ("image_screening", "image_quick", "text_violation")
AGAIN_WITHIN_SECONDS = 90


def versions(user: User) -> dict[str, str]:
    """What serves, by model."""
    answers = {name: user.http.get(f"/v2/models/{name}") for name in MODELS}
    return {name: str(answer.json()["versions"]) for name, answer in answers.items()}


@pytest.mark.timeout(600)
def test_down_and_up_keep_everything(containers: Containers, platform: Platform) -> None:
    user = platform.user()
    item = user.decided(user.register(photo("cat", salt=time.time_ns() % 2**32), "長く残るねこ outlasting")["id"])
    before = versions(user)
    containers.compose("down")
    began = time.monotonic()
    containers.compose("up", "-d", "--wait")
    seconds = time.monotonic() - began
    print(f"up from images and models that are there: {seconds:.0f} s")
    user = platform.user(number=1)
    assert user.item(item["id"])["searchable_at"] == item["searchable_at"]
    assert item["id"] in user.found(q="outlasting")
    eventually(lambda: versions(user) == before, "the models of before")
    assert seconds < AGAIN_WITHIN_SECONDS
