"""Threads for what would block the event loop, with a bound on what may wait for them."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from services.prediction import Overloaded

Result = TypeVar("Result")


class Threads:
    """A pool of one process, shared by its models."""

    def __init__(self, workers: int, queue: int) -> None:
        self._pool = ThreadPoolExecutor(workers, "model")
        self._most = workers + queue
        self._taken = 0

    async def run(self, call: Callable[..., Result], *arguments: Any) -> Result:
        """Call it in a thread; raises Overloaded at once when too many wait already.

        A caller who gives up does not free the place: the thread is still at it.
        """
        if self._taken >= self._most:
            raise Overloaded(f"{self._taken} calls are under way or waiting")
        loop = asyncio.get_running_loop()
        self._taken += 1
        future = self._pool.submit(call, *arguments)
        future.add_done_callback(lambda done: self._free(loop, done))
        return await asyncio.wrap_future(future)

    def _free(self, loop: asyncio.AbstractEventLoop, _: Future[Any]) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(self._freed)

    def _freed(self) -> None:
        self._taken -= 1
