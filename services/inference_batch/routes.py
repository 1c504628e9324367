"""The HTTP face of the batch host: what ran, when it is due, and a run by hand."""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from services.chassis.auth import Operator
from services.chassis.database import Database
from services.chassis.errors import NotFound
from services.inference_batch import runs
from services.inference_batch.runs import Run
from services.inference_batch.waiting import Waiting
from services.inference_batch.windows import wanted


class Asked(BaseModel):
    """What to run."""

    job: str = Field(description="A job that has a schedule.")
    window: str | None = Field(None, description="START/END in ISO 8601; the last one that is over, if none is given.")


class Listed(BaseModel):
    """The last runs, the newest first, and the schedules."""

    runs: list[Run]
    schedules: list[dict[str, Any]]


class Told(Run):
    """A run with the rows that failed, at most 100."""

    failures: dict[str, str]


def routes(database: Database, waiting: Waiting) -> APIRouter:
    """Operators only."""
    router = APIRouter(prefix="/api/batch", tags=["batch"])

    @router.get("/runs")
    async def _runs(caller: Operator, limit: Annotated[int, Query(ge=1, le=100)] = 20) -> Listed:
        """The last runs and all schedules."""
        schedules = [vars(schedule) for schedule in await runs.schedules(database)]
        return Listed(runs=await runs.newest(database, limit), schedules=schedules)

    @router.get("/runs/{run_id}")
    async def _run(run_id: UUID, caller: Operator) -> Told:
        """One run: how far it is, and what failed."""
        run = await runs.find(database, run_id)
        if run is None:
            raise NotFound(f"There is no run {run_id}.")
        return Told(**run.model_dump(), failures=await runs.failures(database, run_id, 100))

    @router.post("/runs", status_code=202)
    async def _ask(asked: Asked, caller: Operator, response: Response) -> Run:
        """Queue a run. A window that was run before is not run again: its run is the answer."""
        schedules = await runs.schedules(database, switched_off_too=True)
        schedule, window = wanted(schedules, asked.job, asked.window, datetime.now(UTC))
        await waiting.refuse(schedule.job)
        run = await runs.queue(database, schedule, window, "hand", caller.name)
        response.headers["Location"] = f"/api/batch/runs/{run.id}"
        return run

    return router
