"""kill -9 of the proxy loses no slow answer."""

import os
import signal

import pytest

from tests.chaos.test_kill_each import units
from tests.platform import Platform, eventually, photo

ASKED = 20


@pytest.mark.timeout(300)
def test_every_slow_answer_arrives(platform: Platform) -> None:
    if platform.state_dir is None:
        pytest.skip("processes of a platform that was not started here cannot be killed")
    http = platform.user().http
    answers = [http.post("/api/proxy/predict", content=photo("flower", 70_000 + number)) for number in range(ASKED)]
    before = units(platform)["proxy"].pid
    assert before
    os.kill(before, signal.SIGKILL)
    assert {answer.status_code for answer in answers} <= {200, 202}
    for answer in answers:
        url = f"/api/proxy/jobs/{answer.json()['id']}"
        eventually(lambda url=url: http.get(url).status_code == 200, f"the slow answer at {url}", 60)  # type: ignore[misc]
        assert http.get(url).json()["state"] == "done"
    assert units(platform)["proxy"].pid != before
