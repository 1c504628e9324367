"""Questions asked at the same moment are one question; one that fails fails all of its batch and no other."""

import asyncio
from collections.abc import Sequence

import pytest

from services.inference_async.together import Together


async def test_what_is_asked_meanwhile_is_asked_together() -> None:
    batches: list[list[int]] = []

    async def ask(items: Sequence[int]) -> list[int]:
        batches.append(list(items))
        await asyncio.sleep(0)
        return [item * 2 for item in items]

    double = Together(ask)
    assert await asyncio.gather(*map(double, range(5))) == [0, 2, 4, 6, 8]
    assert batches == [[0, 1, 2, 3, 4]]


async def test_a_failure_is_everybodys_of_that_batch_and_the_next_goes_on() -> None:
    fails = True

    async def ask(items: Sequence[int]) -> list[int]:
        if fails:
            raise ConnectionError("away")
        return list(items)

    same = Together(ask)
    answers = await asyncio.gather(same(1), same(2), return_exceptions=True)
    assert [type(answer) for answer in answers] == [ConnectionError, ConnectionError]
    fails = False
    assert await same(3) == 3


async def test_one_who_leaves_does_not_spoil_the_batch() -> None:
    asked, may = asyncio.Event(), asyncio.Event()

    async def ask(items: Sequence[int]) -> list[int]:
        asked.set()
        await may.wait()
        return list(items)

    same = Together(ask)
    leaver, stayer = asyncio.create_task(same(1)), asyncio.create_task(same(2))
    await asked.wait()
    leaver.cancel()
    may.set()
    assert await stayer == 2
    with pytest.raises(asyncio.CancelledError):
        await leaver
