"""Background loops end with the block they belong to, whatever becomes of the first request to end."""

import asyncio

import pytest

from services.chassis.service import beside


async def test_a_loop_that_overhears_a_cancellation_ends_all_the_same() -> None:
    overheard = 0

    async def loop() -> None:
        nonlocal overheard
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:  # as `wait_for` of Python 3.11 may, when what it waits for comes just then
                overheard += 1
                if overheard > 1:
                    raise

    async with asyncio.timeout(20), beside(loop) as [task]:
        await asyncio.sleep(0)
    assert task.cancelled()
    assert overheard == 2


async def test_loops_end_when_the_block_fails() -> None:
    tasks = list[asyncio.Task[None]]()

    async def loop() -> None:
        await asyncio.Event().wait()

    async def block() -> None:
        async with beside(loop, loop) as begun:
            tasks.extend(begun)
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await block()
    assert [task.cancelled() for task in tasks] == [True, True]
