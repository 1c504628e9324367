"""Gathers what is asked for while a call is under way into the next one: no delay when idle, few calls when busy."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from services.chassis.workers import passes_by_itself

Question = TypeVar("Question")
Answer = TypeVar("Answer")
Waiting = tuple[Question, asyncio.Future[Answer]]


class Gathered(Generic[Question, Answer]):
    """One call at a time, for all who wait; `call` answers every question of a batch, in order."""

    def __init__(self, call: Callable[[Sequence[Question]], Awaitable[Sequence[Answer]]], most: int) -> None:
        self._call, self._most = call, most
        self._waiting: list[Waiting[Question, Answer]] = []
        self._calling: asyncio.Task[None] | None = None

    async def ask(self, question: Question) -> Answer:
        """The answer to one question; raises what the call raised."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, answer))
        if self._calling is None or self._calling.done():
            self._calling = asyncio.create_task(self._call_until_nobody_waits())
        return await answer

    async def _call_until_nobody_waits(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            await self._answer(batch)

    async def _answer(self, batch: Sequence[Waiting[Question, Answer]]) -> None:
        try:
            answers = await self._call([question for question, _ in batch])
        except Exception as error:
            await self._failed(batch, error)
            return
        for (_, waiting), answer in zip(batch, answers, strict=True):
            if not waiting.done():
                waiting.set_result(answer)

    async def _failed(self, batch: Sequence[Waiting[Question, Answer]], error: Exception) -> None:
        """Nobody fails for what another one asked: what fails together is asked one by one. Weather is everybody's."""
        if len(batch) > 1 and not passes_by_itself(error):
            for one in batch:
                await self._answer([one])
            return
        for _, waiting in batch:
            if not waiting.done():
                waiting.set_exception(error)
