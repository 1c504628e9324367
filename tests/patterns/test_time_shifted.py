"""Time-shifted: quick now, better later."""

import asyncio

import pytest

from services.kept_answers import Answers
from services.patterns.cache import cache
from services.patterns.time_shifted import in_memory, time_shifted
from services.prediction import Prediction
from tests.patterns.answering import Clock, Model, request
from tests.patterns.virtual_time import in_virtual_time


def test_booking_and_the_quick_answer_go_on_at_the_same_time() -> None:
    async def asked() -> tuple[Prediction, Prediction]:
        started = asyncio.get_running_loop().time()
        both = await time_shifted(Model("quick", seconds=1.0), Model("booked", seconds=0.8))(request())
        assert asyncio.get_running_loop().time() - started == 1.0
        return both

    quick, booked = in_virtual_time(asked())
    assert (quick.version, booked.version) == ("quick", "booked")


async def test_without_a_booking_there_is_no_answer() -> None:
    with pytest.raises(OSError, match="database"):
        await time_shifted(Model(), Model(error=OSError("database")))(request())


def test_the_slow_answer_is_there_for_who_asks_again() -> None:
    async def asked() -> list[str | None]:
        slow = cache(Model("slow", seconds=5.0), lambda: "slow", Answers(60, 10_000, Clock()))
        predict = in_memory(Model("quick", seconds=0.1), slow, most_running=2)
        first = await predict(request(1))
        await asyncio.sleep(5)
        again, other = await predict(request(1)), await predict(request(2))
        return [first.group, again.group, again.version, other.group]

    assert in_virtual_time(asked()) == ["fast", "slow", "slow", "fast"]


def test_slow_answers_in_the_making_are_bounded_and_their_failures_stay_out_of_sight() -> None:
    slow = Model(seconds=5.0, error=ValueError("broken"))

    async def asked() -> set[str]:
        predict = in_memory(Model("quick"), slow, most_running=2)
        versions = {(await predict(request(number))).version for number in range(5)}
        await asyncio.sleep(6)
        return versions

    assert in_virtual_time(asked()) == {"quick"}
    assert len(slow.asked) == 2
