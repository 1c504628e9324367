"""Training runs: followed at the trainer, and noted when they have ended."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import httpx
from pydantic import BaseModel

from services.chassis.database import Database
from services.monitoring.annotations import Note, note

NEWEST = 100


class Run(BaseModel):
    """What the trainer says of a run, as far as it is noted."""

    id: UUID
    models: list[str]
    trigger: str
    why: str
    state: str
    versions: dict[str, str]
    waiting: dict[str, str] = {}
    started_at: datetime | None
    finished_at: datetime | None

    def noted(self) -> Note | None:
        """The run as a span of time, once it has one."""
        if not self.started_at or not self.finished_at:
            return None
        made = [f"{model} version {version}" for model, version in sorted(self.versions.items())]
        unmade = [f"{model} waits for data ({why})" for model, why in sorted(self.waiting.items())]
        return Note(
            key=f"training:{self.id}",
            kind="training",
            began_at=self.started_at,
            ended_at=self.finished_at,
            text=f"Training {self.state} ({self.trigger}: {self.why}): {', '.join(made + unmade or self.models)}",
            tags=["training", self.state, *self.models],
        )


class Runs(BaseModel):
    """The trainer's answer."""

    runs: list[Run]


@dataclass(frozen=True)
class Trainer:
    """The service that trains."""

    http: httpx.AsyncClient
    address: str

    async def runs(self) -> list[Run]:
        """The newest runs; raises httpx.HTTPError when the trainer does not answer."""
        url = f"{self.address.rstrip('/')}/api/trainer/runs"
        response = await self.http.get(url, params={"limit": NEWEST})
        response.raise_for_status()
        return Runs.model_validate_json(response.content).runs


async def follow(database: Database, trainer: Trainer) -> int:
    """Note every run that has ended; returns how many are new."""
    notes = [noted for run in await trainer.runs() if (noted := run.noted())]
    async with database.connection() as connection:
        return await note(connection, notes)
