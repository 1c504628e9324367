"""What happens when somebody asks: the job's row and the quick answer at the same time, or both from before."""

import hashlib
import logging
import time
from datetime import UTC, datetime
from typing import Any

from fastapi import Request

from services.chassis.auth import Caller
from services.chassis.logs import request_id
from services.patterns.time_shifted import time_shifted
from services.proxy.jobs import Asked, Job, Jobs
from services.proxy.metrics import ProxyMetrics
from services.proxy.predictor import Predictor, PredictorRefused, Question
from services.proxy.working import Background

log = logging.getLogger(__name__)
PASSED_ON = ("authorization", "accept-language", "x-client")


class Desk:
    """Takes questions."""

    def __init__(
        self,
        jobs: Jobs,
        fast: Predictor,
        background: Background,
        metrics: ProxyMetrics,
        *,
        wiring: str,
        fast_seconds: float,
    ) -> None:
        self.jobs = jobs
        self._fast, self._background, self._metrics = fast, background, metrics
        self._wiring, self._fast_seconds = wiring, fast_seconds

    async def asked(self, request: Request, caller: Caller) -> Job:
        """The job with its quick answer; its row is written when this returns. Raises PredictorRefused."""
        body, kind = await request.body(), request.headers.get("content-type", "application/octet-stream")[:100]
        asked = Asked(str(caller.id), body, kind, digest(self._wiring, body))
        if before := await self.jobs.again(asked):
            self._metrics.cached()
            return before
        passed = {name: request.headers[name] for name in PASSED_ON if name in request.headers}
        question = Question(body, kind, passed | {"x-request-id": request_id.get() or ""})
        return await self._both(asked, question)

    async def _both(self, asked: Asked, question: Question) -> Job:
        shifted = time_shifted(self._quick, lambda _: self.jobs.book(asked))
        (quick, refused), job_id = await shifted(question)
        if refused:
            await self.jobs.forget(job_id)
            raise refused
        self._background.begin(job_id, quick)
        return Job(job_id, asked.subject, "waiting", 0, quick, None, None, False, datetime.now(UTC), None, None)

    async def _quick(self, question: Question) -> tuple[dict[str, Any] | None, PredictorRefused | None]:
        """The quick answer, or why it is refused; neither when its predictor is away: the slow one comes anyway."""
        started = time.perf_counter()
        try:
            quick = await self._fast.ask(question, patience_seconds=self._fast_seconds)
        except PredictorRefused as refused:
            return None, refused
        except Exception as error:
            log.warning("no quick answer: %r", error, extra={"action": "fast.failed"})
            self._metrics.failed("fast")
            return None, None
        self._metrics.answered("fast", quick.get("served_by", "model"), time.perf_counter() - started)
        return quick, None


def digest(wiring: str, body: bytes) -> bytes:
    """The same for the same bytes, asked of the same predictors."""
    return hashlib.sha256(wiring.encode() + b"\0" + body).digest()
