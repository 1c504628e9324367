"""How soon a consumer asks again."""

from dataclasses import dataclass

import pytest

from services.chassis.pace import MUCH, Pace

GATHER_SECONDS = 0.2


@dataclass
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pace(clock: Clock) -> Pace:
    return Pace(GATHER_SECONDS, clock)


def test_while_little_comes_it_asks_at_once(pace: Pace) -> None:
    for _ in range(MUCH - 1):
        assert pace.pause() == 0
        pace.came(1, full=False)
    assert pace.pause() == 0


def test_while_much_comes_it_lets_more_gather(pace: Pace, clock: Clock) -> None:
    pace.came(MUCH, full=False)
    assert pace.pause() == pytest.approx(GATHER_SECONDS)
    clock.now += GATHER_SECONDS / 2
    assert pace.pause() == pytest.approx(GATHER_SECONDS / 2)
    clock.now += GATHER_SECONDS
    assert pace.pause() == 0


def test_what_lies_there_already_is_not_waited_for(pace: Pace) -> None:
    pace.came(4 * MUCH, full=True)
    assert pace.pause() == 0


def test_a_second_of_silence_and_it_is_quick_again(pace: Pace, clock: Clock) -> None:
    pace.came(MUCH, full=False)
    clock.now += 1.1
    pace.came(1, full=False)
    assert pace.pause() == 0
