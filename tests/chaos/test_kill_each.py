"""kill -9 of any one process under load, one after the other, all of them: nothing accepted is lost,
nothing unjudged is ever seen, and the process is healthy again within 30 seconds."""

import os
import signal
import time

import pytest

from scripts.runner import board
from tests.load import Load
from tests.platform import Platform, eventually

HEALTHY_WITHIN_SECONDS = 30


def units(platform: Platform) -> dict[str, board.Record]:
    """Every process that is meant to stay, by name."""
    assert platform.state_dir
    state = board.read(platform.state_dir)
    assert state
    return {unit.name: unit for unit in state.units if not unit.once}


def kill(platform: Platform, name: str) -> float:
    """kill -9, then wait until another process of that name is healthy; the seconds it took."""
    before = units(platform)[name]
    assert before.pid
    started = time.monotonic()
    os.kill(before.pid, signal.SIGKILL)

    def back() -> bool:
        now = units(platform)[name]
        return now.pid != before.pid and now.state == "healthy"

    eventually(back, f"{name} healthy again", HEALTHY_WITHIN_SECONDS)
    return time.monotonic() - started


@pytest.mark.timeout(900)
def test_kill_each_process_under_load(platform: Platform) -> None:
    if platform.state_dir is None:
        pytest.skip("processes of a platform that was not started here cannot be killed")
    load = Load(platform)
    with load.running():
        load.goes_on("at the beginning", 8)
        for name in sorted(units(platform)):
            seconds = kill(platform, name)
            load.goes_on(f"after {name}")
            print(
                f"{name:20} healthy again after {seconds:4.1f} s, {len(load.accepted)} accepted, {dict(load.refused)}"
            )
    load.was_kept()
