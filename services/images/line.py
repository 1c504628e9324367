"""The line of uploads: few are worked on at once, some may wait, the rest is sent away to come again."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from typing import TypeVar

from services.chassis.errors import Unavailable

T = TypeVar("T")


class Line:
    """Bounds memory (places) and processor time (at_once)."""

    def __init__(self, *, places: int, at_once: int) -> None:
        self._free = places
        self._slots = asyncio.Semaphore(at_once)
        self._heavy = asyncio.Lock()

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """A place from the first byte to the last; raises Unavailable when the line is full."""
        if self._free <= 0:
            raise Unavailable("Too many uploads at once.")
        self._free -= 1
        try:
            yield
        finally:
            self._free += 1

    async def work(self, call: Callable[[bytes], T], raw: bytes, *, heavy: bool = False) -> T:
        """Run it in a thread when it is its turn; of the heavy ones there is never more than one."""
        async with self._heavy if heavy else nullcontext(), self._slots:
            return await asyncio.to_thread(call, raw)
