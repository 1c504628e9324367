"""Ask now, hear later: a job is accepted with 202, and asked after, waited for, or listened to.

Four different answers: 202 pending, 404 unknown (or expired, or somebody else's), 200 done, 200 failed.
"""

import asyncio
import contextlib
import hashlib
import time
from collections.abc import AsyncIterable
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel

from services.chassis.auth import Anybody, Caller
from services.chassis.changes import Changes
from services.chassis.errors import NotFound
from services.chassis.logs import request_id
from services.inference_async.answering import Answers
from services.inference_async.callbacks import Callbacks
from services.inference_async.job_metrics import JobMetrics
from services.inference_async.jobs import Asked, Job, Jobs
from services.inference_async.working import JobWorker
from services.prediction import Context

MOST_WAIT_SECONDS = 10.0
BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "image/*": {"schema": {"type": "string", "format": "binary"}},
            "application/json": {
                "schema": {
                    "type": "object",
                    "description": '`{"text": "..."}`, or tensors as the Open Inference Protocol has them.',
                }
            },
        },
    }
}


class CallbackState(BaseModel):
    """Who is told of a job's end, and whether they were."""

    url: str
    state: Literal["waiting", "due", "delivered", "given_up"]
    attempts: int
    status: int | None


class JobTold(BaseModel):
    """A job as its owner sees it. `prediction` of a pending job is the declared default, and marked so."""

    id: UUID
    model: str
    state: Literal["pending", "done", "failed"]
    attempts: int
    prediction: dict[str, Any] | None
    error: str | None
    callback: CallbackState | None
    created_at: datetime
    finished_at: datetime | None
    expires_at: datetime | None

    @classmethod
    def of(cls, job: Job, default: dict[str, Any] | None = None) -> "JobTold":
        """What is told of it."""
        return cls(
            id=job.id,
            model=job.model,
            state=job.state if job.state in ("done", "failed") else "pending",
            attempts=job.attempts,
            prediction=job.prediction if job.ended else default,
            error=job.error,
            callback=CallbackState.model_validate(job.callback) if job.callback else None,
            created_at=job.created_at,
            finished_at=job.finished_at,
            expires_at=job.expires_at,
        )


class Desk:
    """What the routes share."""

    def __init__(
        self,
        jobs: Jobs,
        answers: Answers,
        worker: JobWorker,
        changes: Changes,
        callbacks: Callbacks,
        metrics: JobMetrics,
    ) -> None:
        self.jobs, self.answers, self.worker = jobs, answers, worker
        self.changes, self.callbacks, self.metrics = changes, callbacks, metrics

    async def accept(self, model: str, request: Request, caller: Caller | None, **more: str | None) -> Job:
        """The job's row is written when this returns."""
        body = await request.body()
        given = await self.answers.read(model, body)
        callback = self.callbacks.checked(more["callback"])
        digest = hashlib.sha256(b"\0".join((model.encode(), (callback or "").encode(), body))).digest()
        context = _context(request, caller)
        job = await self.jobs.add(
            Asked(context.subject, model, given.form, given.rows, given.body, context, digest, more["key"], callback)
        )
        self.metrics.asked.labels(model).inc()
        self.worker.hands.wake()
        return job

    async def own(self, job_id: UUID, caller: Caller | None) -> Job:
        """The job, if the caller may see it; raises NotFound, which does not tell the two apart."""
        job = await self.jobs.find(job_id)
        if job is None or not may_see(job, caller):
            raise NotFound("There is no such job, or its result has expired.")
        return job

    async def written(self, job_id: UUID) -> bytes | None:
        """The job as its owner sees it, for a callback."""
        job = await self.jobs.find(job_id)
        return JobTold.of(job).model_dump_json(exclude={"callback"}).encode() if job else None

    async def waited(self, job: Job, seconds: float) -> Job:
        """The job when it has ended, or as it is after so many seconds."""
        deadline = time.monotonic() + seconds
        with self.changes.watch(job.id) as changed:
            while not job.ended:
                job = await self.jobs.find(job.id) or job
                left = deadline - time.monotonic()
                if job.ended or left <= 0:
                    break
                await _until(changed, left)
        return job

    def told(self, job: Job, waited: bool) -> JobTold:
        """The job; who waited in vain is given the default with it."""
        if job.ended or not waited:
            return JobTold.of(job)
        self.metrics.defaults.labels(job.model).inc()
        default = self.answers.default(job.form, job.rows, job.model, id=job.id, reason="deadline")
        return JobTold.of(job, default)


def routes(desk: Desk) -> APIRouter:
    """`POST /v2/models/NAME/async`, `GET /v2/jobs/ID` and `.../events`."""
    router = APIRouter(prefix="/v2", tags=["inference"])
    _asking(router, desk)
    _hearing(router, desk)
    return router


def _asking(router: APIRouter, desk: Desk) -> None:
    @router.post("/models/{name}/async", status_code=202, openapi_extra=BODY)
    async def ask(
        name: str,
        request: Request,
        response: Response,
        caller: Anybody,
        idempotency_key: Annotated[str | None, Header(min_length=1, max_length=200)] = None,
        callback_url: Annotated[str | None, Header(max_length=2000)] = None,
    ) -> JobTold:
        """Send what `predict` or `infer` take; the answer comes later, at `Location`, and to `Callback-Url`."""
        job = await desk.accept(name, request, caller, key=idempotency_key, callback=callback_url)
        response.headers.update({"Location": f"/v2/jobs/{job.id}", "Retry-After": "1"})
        return JobTold.of(job)


def _hearing(router: APIRouter, desk: Desk) -> None:
    async def own(job_id: UUID, caller: Anybody) -> Job:
        return await desk.own(job_id, caller)

    @router.get("/jobs/{job_id}", responses={202: {"model": JobTold}})
    async def job(
        found: Annotated[Job, Depends(own)],
        response: Response,
        wait: Annotated[float | None, Query(ge=0, le=MOST_WAIT_SECONDS, description="Seconds.")] = None,
    ) -> JobTold:
        """How it stands. With `wait`: the answer as soon as it is there, or at the deadline the declared default."""
        found = await desk.waited(found, wait) if wait else found
        if not found.ended:
            response.status_code = 202
            response.headers["Retry-After"] = "1"
        return desk.told(found, wait is not None)

    @router.get("/jobs/{job_id}/events", response_class=EventSourceResponse)
    async def events(found: Annotated[Job, Depends(own)]) -> AsyncIterable[ServerSentEvent]:
        """The job now and when it has ended (`state` events)."""
        async for now in desk.changes.until_ended(found, desk.jobs.find):
            yield ServerSentEvent(event="state", data=JobTold.of(now))


def may_see(job: Job, caller: Caller | None) -> bool:
    """Who asked, and moderators. A job without an owner came from inside, and is seen from there."""
    if caller is None:
        return not job.subject
    return job.subject == str(caller.id) or bool(caller.roles & {"moderator", "operator"})


async def _until(changed: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await changed.wait()
            changed.clear()


def _context(request: Request, caller: Caller | None) -> Context:
    language = request.headers.get("accept-language", "").split(",")[0].split(";")[0].strip()
    return Context(
        request_id=request_id.get() or "",
        subject=str(caller.id) if caller else "",
        language=language[:35],
        client=request.headers.get("x-client", "")[:100],
    )
