"""Gets the slow answers in the background."""

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from services.chassis.hands import Hands
from services.proxy.jobs import Jobs, Taken
from services.proxy.metrics import ProxyMetrics
from services.proxy.predictor import NeverAnswers, Predictor, PredictorRefused, Question

log = logging.getLogger(__name__)
MOST_PAUSE_SECONDS = 15.0


class Background:
    """Notes the quick answer when it has been given, then gets the slow one."""

    def __init__(
        self,
        jobs: Jobs,
        slow: Predictor,
        metrics: ProxyMetrics,
        *,
        at_once: int,
        patience_seconds: float,
        lease_seconds: float,
    ) -> None:
        self._jobs, self._slow, self._metrics = jobs, slow, metrics
        self._patience = patience_seconds
        self.hands = Hands(jobs, self._answered, at_once=at_once, lease_seconds=lease_seconds)
        self._noting: set[asyncio.Task[None]] = set()

    def begin(self, job_id: UUID, quick: Mapping[str, Any] | None) -> None:
        """The quick answer is on its way, and no sooner: the slow one would take from it."""
        task = asyncio.create_task(self._noted(job_id, quick))
        self._noting.add(task)
        task.add_done_callback(self._noting.discard)

    async def _noted(self, job_id: UUID, quick: Mapping[str, Any] | None) -> None:
        try:
            if quick:
                await self._jobs.note(job_id, quick)
        except Exception as error:  # whoever asked has it; the row lacks it
            log.warning("not noted: %r", error, extra={"action": "job.not_noted", "job_id": str(job_id)})
        self.hands.wake()

    async def _answered(self, job: Taken) -> None:
        """Asking twice for one job is asking once: its id is the key."""
        started = time.perf_counter()
        question = Question(job.body, job.content_type, {"idempotency-key": str(job.id), "x-request-id": str(job.id)})
        try:
            slow = await self._slow.ask(question, patience_seconds=self._patience)
        except (PredictorRefused, NeverAnswers) as error:
            await self._failed(job, str(error))
        except Exception as error:
            await self._later(job, error)
        else:
            await self._jobs.done(job, slow)
            self._metrics.answered("slow", slow.get("served_by", "model"), time.perf_counter() - started)

    async def _later(self, job: Taken, error: Exception) -> None:
        if job.age_seconds > self._patience:
            await self._failed(job, f"no answer in {job.age_seconds:.0f} s: {error!r}")
            return
        log.warning("the slow predictor: %r", error, extra={"action": "job.put_back", "job_id": str(job.id)})
        await self._jobs.put_back(job, min(MOST_PAUSE_SECONDS, 0.25 * 2 ** min(job.attempts, 8)))

    async def _failed(self, job: Taken, error: str) -> None:
        log.error("%s", error, extra={"action": "job.failed", "job_id": str(job.id)})
        await self._jobs.failed(job, error)
        self._metrics.failed("slow")
