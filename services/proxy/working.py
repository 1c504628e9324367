"""Gets the slow answers in the background. What a dead process left is taken up like anything else."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from services.proxy.jobs import Jobs, Taken
from services.proxy.metrics import ProxyMetrics
from services.proxy.predictor import NeverAnswers, Predictor, PredictorRefused, Question

log = logging.getLogger(__name__)
LOOK_SECONDS = 0.5
MOST_PAUSE_SECONDS = 15.0


class Background:
    """The hands of this process."""

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
        self._at_once, self._patience, self._lease = at_once, patience_seconds, lease_seconds
        self._working: dict[UUID, asyncio.Task[None]] = {}
        self._noting: set[asyncio.Task[None]] = set()
        self._woken = asyncio.Event()

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
        self.wake()

    def wake(self) -> None:
        """There is something to do."""
        self._woken.set()

    async def run(self) -> None:
        """Work until cancelled."""
        try:
            while True:
                self._woken.clear()
                await self._take()
                await self._moment()
        finally:
            for task in self._working.values():
                task.cancel()

    async def hold(self) -> None:
        """Say that this process is still at what it has taken, until cancelled."""
        while True:
            await asyncio.sleep(self._lease / 4)
            try:
                await self._jobs.hold(list(self._working))
            except Exception as error:
                log.warning("leases not renewed: %r", error, extra={"action": "jobs.not_held"})

    async def _take(self) -> None:
        free = self._at_once - len(self._working)
        if free <= 0:
            return
        try:
            taken = await self._jobs.take(free)
        except Exception as error:
            log.warning("no jobs taken: %r", error, extra={"action": "jobs.not_taken"})
            return
        for job in taken:
            task = self._working[job.id] = asyncio.create_task(self._one(job))
            task.add_done_callback(lambda _, job_id=job.id: self._ended(job_id))  # type: ignore[misc]

    def _ended(self, job_id: UUID) -> None:
        self._working.pop(job_id, None)
        self.wake()

    async def _moment(self) -> None:
        # Not wait_for: in Python 3.11 it can swallow a cancellation that comes as it ends.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOOK_SECONDS):
                await self._woken.wait()

    async def _one(self, job: Taken) -> None:
        try:
            await self._answered(job)
        except Exception as error:  # the database is away: the lease ends, and somebody takes it up
            log.warning("job left: %r", error, extra={"action": "job.left", "job_id": str(job.id)})

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
