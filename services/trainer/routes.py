"""The HTTP face of the trainer: what was trained and why, and training on demand."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from services.chassis.auth import Operator
from services.chassis.errors import BadInput, Fault, NotFound
from services.trainer import runs
from services.trainer.runs import Run
from services.trainer.training import Trainer


class Request(BaseModel):
    """What to train."""

    models: list[str] = Field(default_factory=list, description="Names of pipelines; none means all required models.")
    why: str = Field("", max_length=500, description="Kept with the run.")


class Runs(BaseModel):
    """The last runs, the newest first."""

    runs: list[Run]


def routes(trainer: Trainer) -> APIRouter:
    """Everybody may look; operators may train."""
    router = APIRouter(prefix="/api/trainer", tags=["trainer"])

    @router.get("/runs")
    async def _runs(limit: Annotated[int, Query(ge=1, le=100)] = 20) -> Runs:
        """The last runs."""
        return Runs(runs=await runs.newest(trainer.database, limit))

    @router.get("/runs/{run_id}")
    async def _run(run_id: UUID) -> Run:
        """One run, with how far it is."""
        run = await runs.find(trainer.database, run_id)
        if run is None:
            raise NotFound(f"There is no run {run_id}.")
        return run

    @router.post("/runs", status_code=202)
    async def _train(request: Request, caller: Operator, response: Response) -> Run:
        """Queue a run. What did not change is not made again."""
        models = wanted(trainer, request)
        run = await runs.queue(trainer.database, models, "demand", request.why or "asked for", caller.name)
        trainer.asked.set()
        response.headers["Location"] = f"/api/trainer/runs/{run.id}"
        return run

    return router


def wanted(trainer: Trainer, request: Request) -> list[str]:
    """The names in the request, each once; raises BadInput for one that no pipeline has."""
    names = list(dict.fromkeys(request.models)) or list(trainer.required)
    known = trainer.known()
    faults = [
        Fault(where="models", what=f"there is no pipeline {name[:100]}", allowed=", ".join(sorted(known)))
        for name in names
        if name not in known
    ]
    if faults:
        raise BadInput("Not everything named can be trained.", *faults)
    return names
