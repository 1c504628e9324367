"""A time limit holds whether or not the call has to wait, and a call that does not wait costs no timer."""

import asyncio

import pytest

from services.patience import within


@pytest.fixture
def timers(monkeypatch: pytest.MonkeyPatch) -> list[float | None]:
    """The time limits that were really set."""
    seen: list[float | None] = []
    real = asyncio.timeout

    def noted(delay: float | None) -> asyncio.Timeout:
        seen.append(delay)
        return real(delay)

    monkeypatch.setattr(asyncio, "timeout", noted)
    return seen


async def at_once() -> str:
    return "answer"


async def fails_at_once() -> str:
    raise ValueError("no")


async def later(turns: int = 3) -> str:
    for _ in range(turns):
        await asyncio.sleep(0)
    return "answer"


async def fails_later() -> str:
    await asyncio.sleep(0)
    raise ValueError("no")


async def test_who_answers_at_once_needs_no_timer(timers: list[float | None]) -> None:
    assert await within(1.0, at_once()) == "answer"
    assert timers == []


async def test_who_waits_is_waited_for(timers: list[float | None]) -> None:
    assert await within(5.0, later()) == "answer"
    assert timers == [5.0]


@pytest.mark.parametrize("call", [fails_at_once, fails_later])
async def test_errors_pass(call: type) -> None:
    with pytest.raises(ValueError, match="no"):
        await within(1.0, call())


async def test_who_is_late_is_cancelled() -> None:
    ended = asyncio.Event()

    async def never() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    with pytest.raises(TimeoutError):
        await within(0.01, never())
    assert ended.is_set()


async def test_who_gives_up_waiting_cancels_the_call() -> None:
    ended = asyncio.Event()

    async def never() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    task = asyncio.create_task(within(60, never()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()


async def test_results_of_what_is_waited_for_come_back() -> None:
    async def asks_twice() -> int:
        first: int = await asyncio.create_task(number(1))
        return first + await asyncio.create_task(number(2))

    async def number(value: int) -> int:
        return value

    assert await within(5, asks_twice()) == 3


async def test_a_call_that_catches_a_failure_goes_on() -> None:
    async def forgiving() -> str:
        try:
            await asyncio.create_task(fails_at_once())
        except ValueError:
            return await later()
        return "not failed"

    assert await within(5, forgiving()) == "answer"
