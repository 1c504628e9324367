"""A time limit that costs nothing where nobody has to wait.

`asyncio.timeout` sets and clears a timer for every call. A small model answers within the turn of the event loop
in which it was asked; no timer could interrupt it. So the timer is set once the call waits for something.
"""

import asyncio
from collections.abc import Awaitable, Generator
from types import coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


async def within(seconds: float | None, awaited: Awaitable[Result]) -> Result:
    """What the call returns; raises TimeoutError when it takes longer."""
    call = awaited.__await__()
    try:
        waits_for = next(call)
    except StopIteration as done:
        result: Result = done.value
        return result
    async with asyncio.timeout(seconds):
        return await _resumed(call, waits_for)


@coroutine
def _resumed(call: Generator[Any, Any, Result], waits_for: Any) -> Generator[Any, Any, Result]:
    """The rest of a call that has begun: what it waits for goes up to the event loop, what comes back goes down."""
    try:
        while True:
            try:
                came = yield waits_for
            except BaseException as error:
                waits_for = call.throw(error)
            else:
                waits_for = call.send(came)
    except StopIteration as done:
        result: Result = done.value
        return result
    finally:
        call.close()
