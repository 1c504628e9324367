"""Answers jobs, and puts back what must wait.

A job that fails three times, or takes three processes with it, has failed.
"""

import logging
from typing import Any

from models.refusal import ContractBroken
from services.chassis.errors import Problem
from services.chassis.hands import Hands
from services.chassis.logs import request_id
from services.chassis.workers import passes_by_itself
from services.inference_async.answering import Answers, Given
from services.inference_async.job_metrics import JobMetrics
from services.inference_async.jobs import Jobs, Taken
from services.prediction import Overloaded

log = logging.getLogger(__name__)

MOST_FAILURES = 3
PAUSE_SECONDS = (0.5, 2.0)


class JobWorker:
    """What this process does with a job."""

    def __init__(
        self, jobs: Jobs, answers: Answers, metrics: JobMetrics, *, at_once: int, lease_seconds: float
    ) -> None:
        self._jobs, self._answers, self._metrics = jobs, answers, metrics
        self.hands = Hands(jobs, self._attempt, at_once=at_once, lease_seconds=lease_seconds)

    async def _attempt(self, job: Taken) -> None:
        request_id.set(job.context.request_id or None)  # this job has a task of its own
        if job.failures >= MOST_FAILURES:
            await self._failed(job, f"{job.failures} attempts ended without an answer.")
            return
        given = Given(job.form, 1, job.body)
        try:
            with self._metrics.seconds.labels(job.model).time():
                prediction = await self._answers.answer(
                    given, job.model, id=job.id, age_seconds=job.age_seconds, context=job.context
                )
        except Exception as error:
            await self._trouble(job, error)
        else:
            await self._done(job, prediction)

    async def _done(self, job: Taken, prediction: dict[str, Any]) -> None:
        if await self._jobs.done(job, prediction):
            self._metrics.ended.labels(job.model, "done").inc()
            said = {"action": "job.done", "job_id": job.id, "attempts": job.attempts}
            log.info("job %s done", job.id, extra=said | {"served_by": _served_by(prediction)})

    async def _failed(self, job: Taken, why: str) -> None:
        if await self._jobs.failed(job, why):
            self._metrics.ended.labels(job.model, "failed").inc()
            log.warning("job %s failed: %s", job.id, why, extra={"action": "job.failed", "job_id": job.id})

    async def _trouble(self, job: Taken, error: Exception) -> None:
        """The sender's fault fails it, weather is waited out, anything else is tried three times."""
        if isinstance(error, (ContractBroken, ValueError)) or (isinstance(error, Problem) and error.status < 500):
            await self._failed(job, str(error) or repr(error))
            return
        weather = passes_by_itself(error) or isinstance(error, Overloaded)
        if not weather and job.failures + 1 >= MOST_FAILURES:
            await self._failed(job, f"The prediction failed {MOST_FAILURES} times; last: {type(error).__name__}")
            return
        self._metrics.retries.labels(job.model).inc()
        log.warning("job %s again: %r", job.id, error, extra={"action": "job.retried", "job_id": job.id})
        await self._jobs.put_back(job, PAUSE_SECONDS[min(job.failures, 1)], failed=not weather)


def _served_by(prediction: dict[str, Any]) -> str:
    return str(prediction.get("served_by") or prediction.get("parameters", {}).get("served_by"))
