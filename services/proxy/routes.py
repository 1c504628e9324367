"""One question, two answers: the quick one now, the slow one by asking again or by listening.

Four different answers about a job: 202 pending, 200 done, 200 failed, 404 unknown (or expired, or somebody else's).
"""

from collections.abc import AsyncIterable
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel

from services.chassis.auth import Caller, SignedIn
from services.chassis.changes import Changes
from services.chassis.errors import NotFound
from services.proxy.asking import Desk
from services.proxy.jobs import Job

BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "image/*": {"schema": {"type": "string", "format": "binary"}},
            "application/json": {
                "schema": {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
            },
        },
    }
}


class JobTold(BaseModel):
    """A question with its answers. `fast` is null when the quick predictor was away; `slow` until it has answered."""

    id: UUID
    state: Literal["pending", "done", "failed"]
    fast: dict[str, Any] | None
    slow: dict[str, Any] | None
    error: str | None
    cached: bool
    created_at: datetime
    finished_at: datetime | None
    expires_at: datetime | None

    @classmethod
    def of(cls, job: Job) -> "JobTold":
        """What is told of it."""
        state = job.state if job.state in ("done", "failed") else "pending"
        return cls(state=state, **{name: getattr(job, name) for name in cls.model_fields if name != "state"})


def routes(desk: Desk, changes: Changes) -> APIRouter:
    """`POST /api/proxy/predict`, `GET /api/proxy/jobs/ID` and `.../events`."""
    router = APIRouter(prefix="/api/proxy", tags=["inference"])

    async def own(job_id: UUID, caller: SignedIn) -> Job:
        job = await desk.jobs.find(job_id)
        if job is None or not may_see(job, caller):
            raise NotFound("There is no such job, or its result has expired.")
        return job

    @router.post("/predict", status_code=202, openapi_extra=BODY, responses={200: {"model": JobTold}})
    async def predict(request: Request, caller: SignedIn, response: Response) -> JobTold:
        """Send the bytes of a picture, or `{"text": "..."}`: the quick answer, and the job of the slow one."""
        job = await desk.asked(request, caller)
        response.headers["Location"] = f"/api/proxy/jobs/{job.id}"
        response.status_code = 200 if job.ended else 202
        return JobTold.of(job)

    @router.get("/jobs/{job_id}", responses={202: {"model": JobTold}})
    async def job(found: Annotated[Job, Depends(own)], response: Response) -> JobTold:
        """How it stands."""
        if not found.ended:
            response.status_code = 202
            response.headers["Retry-After"] = "1"
        return JobTold.of(found)

    @router.get("/jobs/{job_id}/events", response_class=EventSourceResponse)
    async def events(found: Annotated[Job, Depends(own)]) -> AsyncIterable[ServerSentEvent]:
        """The job now, and when it has ended (`state` events)."""
        async for now in changes.until_ended(found, desk.jobs.find):
            yield ServerSentEvent(event="state", data=JobTold.of(now))

    return router


def may_see(job: Job, caller: Caller) -> bool:
    """Who asked, and moderators."""
    return job.subject == str(caller.id) or bool(caller.roles & {"moderator", "operator"})
