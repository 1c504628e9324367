"""Time-shifted: a quick predictor answers now, a slow and better one later.

Over HTTP it is the service `proxy`, with jobs that are kept. Inside a host the slow answer is kept in memory: whoever
asks the same again gets it.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar, cast

from pydantic import Field
from pydantic_settings import BaseSettings

from services.kept_answers import Answers
from services.patterns.cache import cache
from services.prediction import Predict, Prediction, PredictionRequest
from services.wiring import Wiring

log = logging.getLogger(__name__)
Asked = TypeVar("Asked")
Answer = TypeVar("Answer")
Later = TypeVar("Later")


class TimeShiftedParameters(BaseSettings):
    """Parameters of the pattern."""

    fast: str = Field("challenger", description="Who answers now: an alias in the registry, or a host's address.")
    most_running: int = Field(2, ge=1, description="Slow answers in the making; beyond, only the fast one is given.")
    ttl_seconds: float = Field(300, gt=0, description="How long a slow answer is kept.")
    max_bytes: int = Field(16 * 1024 * 1024, gt=0, description="Memory that slow answers may take.")


def time_shifted(
    fast: Callable[[Asked], Awaitable[Answer]], book: Callable[[Asked], Awaitable[Later]]
) -> Callable[[Asked], Awaitable[tuple[Answer, Later]]]:
    """Both at once: the slow answer is booked while the fast one is made. If either is refused, so is all."""

    async def answered(asked: Asked) -> tuple[Answer, Later]:
        now, later = await asyncio.gather(fast(asked), book(asked), return_exceptions=True)
        for outcome in (now, later):
            if isinstance(outcome, BaseException):
                raise outcome
        return cast(Answer, now), cast(Later, later)

    return answered


def in_memory(fast: Predict, slow: Predict, *, most_running: int) -> Predict:
    """The slow answer if it is there by the time the fast one is; `slow` keeps its answers."""
    running: set[asyncio.Task[Prediction]] = set()

    async def book(request: PredictionRequest) -> asyncio.Task[Prediction] | None:
        if len(running) >= most_running:
            return None
        task = asyncio.ensure_future(slow(request))
        running.add(task)
        task.add_done_callback(ended)
        return task

    def ended(task: asyncio.Task[Prediction]) -> None:
        running.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.warning("no slow answer: %r", error, extra={"action": "slow.failed"})

    async def answered(request: PredictionRequest) -> Prediction:
        quick, later = await time_shifted(fast, book)(request)
        there = later is not None and later.done() and not later.cancelled() and later.exception() is None
        return replace(later.result(), group="slow") if later and there else replace(quick, group="fast")

    return answered


def wire(predict: Predict, wiring: Wiring) -> Predict:
    """As settings say."""
    parameters = wiring.parameters(TimeShiftedParameters, "time_shifted")
    answers = Answers(parameters.ttl_seconds, parameters.max_bytes, time.monotonic)
    slow = cache(predict, wiring.version, answers)
    return in_memory(wiring.other(parameters.fast), slow, most_running=parameters.most_running)
