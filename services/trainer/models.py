"""How it stands with every model: waiting, training, registered, or without a champion and why."""

from collections.abc import Mapping
from typing import Literal

import httpx
from fastapi import APIRouter
from pydantic import BaseModel

from services.chassis.errors import Unavailable
from services.trainer import runs
from services.trainer.runs import Run
from services.trainer.training import Trainer

State = Literal["waiting", "training", "registered", "no champion"]


class Standing(BaseModel):
    """One model. `why` says what it waits for, or why there is no champion."""

    name: str
    required: bool
    state: State
    champion: str | None
    why: str = ""
    stage: str | None = None
    progress: float | None = None


class Standings(BaseModel):
    """All that can be trained, the required ones first."""

    models: list[Standing]


def model_routes(trainer: Trainer) -> APIRouter:
    """Everybody may look."""
    router = APIRouter(prefix="/api/trainer", tags=["trainer"])

    @router.get("/models")
    async def _models() -> Standings:
        """Every model, with how far it is."""
        try:
            return Standings(models=await standings(trainer))
        except httpx.HTTPError as error:
            raise Unavailable(f"MLflow does not answer: {error!r}") from error

    return router


async def standings(trainer: Trainer) -> list[Standing]:
    """From the runs and the registry; raises httpx.HTTPError when MLflow does not answer."""
    last = await runs.last_of_each(trainer.database)
    return [standing(trainer, name, await trainer.champions.version(name), last) for name in trainer.models()]


def standing(trainer: Trainer, name: str, champion: str | None, last: Mapping[str, Run]) -> Standing:
    """Of one model."""
    required, run = name in trainer.required, last.get(name)
    if run and run.state == "running" and name not in run.versions:
        return Standing(
            name=name, required=required, state="training", champion=champion, stage=run.stage, progress=run.progress
        )
    if run and run.state == "queued":
        return Standing(name=name, required=required, state="waiting", champion=champion, why=run.why)
    if champion is not None:
        return Standing(name=name, required=required, state="registered", champion=champion)
    if run is None and (required or (trainer.the_rest and name not in trainer.tried)):
        why = "its turn has not come yet" if required else "its turn comes after the required models"
        return Standing(name=name, required=required, state="waiting", champion=None, why=why)
    if run and name in run.waiting:
        return Standing(name=name, required=required, state="waiting", champion=None, why=run.waiting[name])
    return Standing(name=name, required=required, state="no champion", champion=None, why=without(name, run))


def without(name: str, run: Run | None) -> str:
    """Why there is no champion."""
    if run is None:
        return f"nobody has asked for it: scripts/train {name}"
    return (run.error or f"the last run has {run.state}").strip().splitlines()[-1][:300]
