"""Turns many small questions that are asked at the same moment into one."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Together(Generic[Item, Answer]):
    """While one batch is under way, the next gathers: nobody waits for a clock."""

    def __init__(self, ask: Callable[[Sequence[Item]], Awaitable[Sequence[Answer]]]) -> None:
        self._ask = ask
        self._gathering: list[tuple[Item, asyncio.Future[Answer]]] = []
        self._asking: asyncio.Task[None] | None = None

    async def __call__(self, item: Item) -> Answer:
        """The answer about this one; raises what the batch raised."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._gathering.append((item, answer))
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._work())
        return await answer

    async def _work(self) -> None:
        while self._gathering:
            batch, self._gathering = self._gathering, []
            try:
                answers = await self._ask([item for item, _ in batch])
            except Exception as error:
                for _, waiting in batch:
                    if not waiting.done():
                        waiting.set_exception(error)
                continue
            for (_, waiting), answer in zip(batch, answers, strict=True):
                if not waiting.done():
                    waiting.set_result(answer)
