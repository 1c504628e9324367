"""What blocks runs in threads, and only so much of it may wait."""

import asyncio
import threading

import pytest

from services.prediction import Overloaded
from services.sources.threads import Threads


async def test_too_many_calls_are_refused_at_once_and_taken_again_later() -> None:
    threads, gate = Threads(workers=1, queue=1), threading.Event()
    waiting = [asyncio.create_task(threads.run(gate.wait)) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(Overloaded):
        await threads.run(gate.wait)
    gate.set()
    assert await asyncio.gather(*waiting) == [True, True]
    assert await threads.run(gate.wait)


async def test_a_caller_who_gives_up_does_not_free_the_place() -> None:
    threads, gate = Threads(workers=1, queue=0), threading.Event()
    call = asyncio.create_task(threads.run(gate.wait))
    await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(Overloaded):
        await threads.run(gate.wait)
    gate.set()


async def test_an_error_reaches_the_caller() -> None:
    with pytest.raises(ZeroDivisionError):
        await Threads(1, 1).run(lambda: 1 / 0)
