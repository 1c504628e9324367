"""Circuit breaker: cut off what a model cannot take, and try again later."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from models.refusal import ContractBroken
from models.text_violation.contract import contract
from services.circuit import Circuit
from services.patterns.circuit_breaker import circuit_breaker
from services.patterns.fallback import fallback
from services.prediction import CircuitOpen, NotLoaded, OverLimit, Overloaded, Predict
from services.token_bucket import TokenBucket
from tests.patterns.answering import Clock, Model, request
from tests.patterns.virtual_time import in_virtual_time


@dataclass
class Cut:
    """A model behind a breaker, with a clock to turn."""

    model: Model
    per_second: float = 0
    max_running: int = 64
    clock: Clock = field(default_factory=Clock)
    turns: list[bool] = field(default_factory=list)

    def __post_init__(self) -> None:
        circuit = Circuit(3, 5.0, self.clock, self.turns.append)
        limit = TokenBucket(self.per_second, clock=self.clock)
        self.predict: Predict = circuit_breaker(
            self.model, circuit, limit, max_running=self.max_running, slow_seconds=2.0, clock=self.clock
        )

    async def fails(self, times: int, error: type[Exception] = ValueError) -> None:
        for _ in range(times):
            with pytest.raises(error):
                await self.predict(request())


async def test_failures_in_a_row_open_it_and_the_model_is_left_alone() -> None:
    cut = Cut(Model(error=ValueError("broken")))
    await cut.fails(3)
    await cut.fails(4, CircuitOpen)
    assert len(cut.model.asked) == 3
    assert cut.turns == [False, False, True]


async def test_a_success_in_between_starts_the_count_again() -> None:
    cut = Cut(Model(error=ValueError("broken")))
    await cut.fails(2)
    cut.model.error = None
    await cut.predict(request())
    cut.model.error = ValueError("broken")
    await cut.fails(3)


async def test_after_a_rest_one_request_tries_and_its_success_closes_it() -> None:
    cut = Cut(Model(error=ValueError("broken")))
    await cut.fails(3)
    cut.clock.now += 4.9
    await cut.fails(1, CircuitOpen)
    cut.clock.now += 0.2
    cut.model.error = None
    await cut.predict(request())
    await cut.predict(request())
    assert cut.turns[-1] is False


async def test_a_failed_try_opens_it_again() -> None:
    cut = Cut(Model(error=ValueError("broken")))
    await cut.fails(3)
    cut.clock.now += 5.1
    await cut.fails(1)
    await cut.fails(1, CircuitOpen)


def test_only_one_request_tries_at_a_time() -> None:
    async def tried() -> Sequence[object]:
        cut = Cut(Model(error=ValueError("broken")))
        await cut.fails(3)
        cut.clock.now += 5.1
        cut.model.error, cut.model.seconds = None, 1.0
        return await asyncio.gather(*(cut.predict(request()) for _ in range(3)), return_exceptions=True)

    assert [type(outcome).__name__ for outcome in in_virtual_time(tried())] == [
        "Prediction", "CircuitOpen", "CircuitOpen",
    ]  # fmt: skip


async def test_late_answers_are_failures() -> None:
    cut = Cut(Model())
    slow = cut.model

    class Late(Model):
        async def __call__(self, asked):  # type: ignore[no-untyped-def]
            cut.clock.now += 2.5
            return await slow(asked)

    late = circuit_breaker(
        Late(), Circuit(3, 5.0, cut.clock, cut.turns.append), TokenBucket(0), max_running=9, slow_seconds=2.0,
        clock=cut.clock,
    )  # fmt: skip
    for _ in range(3):
        await late(request())
    with pytest.raises(CircuitOpen):
        await late(request())


def test_a_caller_who_lost_patience_counts_as_a_failure() -> None:
    async def left() -> None:
        cut = Cut(Model(seconds=60))
        predict = fallback(cut.predict, contract, timeout_seconds=1.0)
        reasons = [(await predict(request())).reason for _ in range(4)]
        assert reasons == ["timeout"] * 3 + ["circuit_open"]

    in_virtual_time(left())


@pytest.mark.parametrize(
    "error", [ContractBroken("inputs.x", "missing", "one"), NotLoaded("none"), Overloaded("64 wait")]
)
async def test_what_says_nothing_about_the_model_does_not_open_it(error: Exception) -> None:
    cut = Cut(Model(error=error))
    await cut.fails(9, type(error))


async def test_a_default_of_a_remote_host_is_a_failure_of_its_model() -> None:
    cut = Cut(Model(served_by_default=True))
    for _ in range(3):
        await cut.predict(request())
    await cut.fails(1, CircuitOpen)


def test_so_many_at_once_and_no_more() -> None:
    async def many() -> Sequence[object]:
        cut = Cut(Model(seconds=1.0), max_running=2)
        outcomes = await asyncio.gather(*(cut.predict(request()) for _ in range(4)), return_exceptions=True)
        await cut.predict(request())
        return outcomes

    names = [type(outcome).__name__ for outcome in in_virtual_time(many())]
    assert names == ["Prediction", "Prediction", "Overloaded", "Overloaded"]


async def test_of_a_thousand_a_second_the_model_answers_three_hundred_and_the_default_the_rest() -> None:
    cut = Cut(Model(), per_second=300)
    predict = fallback(cut.predict, contract, timeout_seconds=2.0)
    seconds: list[list[str | None]] = []
    for _ in range(5):
        reasons = []
        for _ in range(1000):
            cut.clock.now += 0.001
            reasons.append((await predict(request())).reason)
        seconds.append(reasons)
    assert all(reasons.count("over_limit") + reasons.count(None) == 1000 for reasons in seconds)
    assert all(299 <= reasons.count(None) <= 301 for reasons in seconds[1:])
    assert len(cut.model.asked) <= 300 * 6  # the first second has what was saved before it


async def test_below_the_limit_nobody_is_refused() -> None:
    cut = Cut(Model(), per_second=300)
    for _ in range(900):
        cut.clock.now += 1 / 299
        await cut.predict(request())


async def test_the_limit_can_be_switched_off() -> None:
    cut = Cut(Model(), per_second=0)
    for _ in range(5000):
        await cut.predict(request())
    cut = Cut(Model(), per_second=1)
    await cut.predict(request())
    await cut.fails(1, OverLimit)
