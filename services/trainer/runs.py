"""Training runs, as they are kept."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, LiteralString
from uuid import UUID

from psycopg.types.json import Jsonb
from pydantic import BaseModel

from services.chassis.database import Connection, Database
from services.chassis.ids import new_id

Trigger = Literal["start", "rest", "demand", "schedule", "alert", "new data"]
State = Literal["queued", "running", "succeeded", "failed", "interrupted"]


class Run(BaseModel):
    """One training run."""

    id: UUID
    models: list[str]
    trigger: Trigger
    why: str
    requested_by: str | None
    state: State
    stage: str | None
    progress: float
    versions: dict[str, str]
    waiting: dict[str, str] = {}
    error: str | None
    queued_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


async def queue(
    database: Database, models: Sequence[str], trigger: Trigger, why: str, requested_by: str | None = None
) -> Run:
    """A new run, at the end of the queue."""
    async with database.connection() as connection:
        return await _insert(connection, models, trigger, why, requested_by)


async def _insert(
    connection: Connection, models: Sequence[str], trigger: Trigger, why: str, requested_by: str | None
) -> Run:
    return await _one(
        connection,
        "INSERT INTO runs (id, models, trigger, why, requested_by) VALUES (%s, %s, %s, %s, %s) RETURNING *",
        (new_id(), list(models), trigger, why, requested_by),
    )


async def newest(database: Database, limit: int) -> list[Run]:
    """The last runs, the newest first."""
    async with database.connection() as connection:
        rows = await connection.execute("SELECT * FROM runs ORDER BY id DESC LIMIT %s", (limit,))
        return [Run(**row) for row in await rows.fetchall()]


async def find(database: Database, run_id: UUID) -> Run | None:
    """One run."""
    async with database.connection() as connection:
        row = await (await connection.execute("SELECT * FROM runs WHERE id = %s", (run_id,))).fetchone()
        return Run(**row) if row else None


async def last_of_each(database: Database) -> dict[str, Run]:
    """Of each name that was ever in a run, the newest."""
    question = "SELECT DISTINCT ON (name) name, runs.* FROM runs, unnest(models) AS name ORDER BY name, id DESC"
    async with database.connection() as connection:
        rows = await (await connection.execute(question)).fetchall()
        return {str(row.pop("name")): Run(**row) for row in rows}


async def waiting(database: Database) -> list[Run]:
    """The queue, first come first served."""
    async with database.connection() as connection:
        rows = await connection.execute("SELECT * FROM runs WHERE state = 'queued' ORDER BY id")
        return [Run(**row) for row in await rows.fetchall()]


async def unfinished(database: Database) -> list[Run]:
    """What is queued or being worked on."""
    async with database.connection() as connection:
        rows = await connection.execute("SELECT * FROM runs WHERE state IN ('queued', 'running') ORDER BY id")
        return [Run(**row) for row in await rows.fetchall()]


async def interrupted(database: Database) -> list[Run]:
    """A trainer that starts finds runs of one that died: they are marked, and queued again to be resumed."""
    async with database.connection() as connection, connection.transaction():
        rows = await connection.execute(
            "UPDATE runs SET state = 'interrupted', finished_at = now() WHERE state = 'running' RETURNING *"
        )
        dead = [Run(**row) for row in await rows.fetchall()]
        return [
            await _insert(connection, run.models, run.trigger, f"resumes {run.id}", run.requested_by) for run in dead
        ]


async def started(database: Database, run: Run) -> None:
    """The trainer works on it."""
    await _do(database, "UPDATE runs SET state = 'running', started_at = now() WHERE id = %s", run.id)


async def told(database: Database, run: Run, stage: str, progress: float) -> None:
    """How far it is."""
    await _do(database, "UPDATE runs SET stage = %s, progress = %s WHERE id = %s", stage, progress, run.id)


async def succeeded(database: Database, run: Run, versions: Mapping[str, str], waiting: Mapping[str, str]) -> None:
    """Every model is made and registered, or waits for data."""
    change = "UPDATE runs SET state = 'succeeded', stage = NULL, progress = 1, versions = %s, waiting = %s"
    await _do(database, f"{change}, finished_at = now() WHERE id = %s", Jsonb(versions), Jsonb(waiting), run.id)


async def failed(database: Database, run: Run, error: str) -> None:
    """It is not tried again by itself."""
    change = "UPDATE runs SET state = 'failed', error = %s, finished_at = now() WHERE id = %s"
    await _do(database, change, error, run.id)


async def _do(database: Database, query: LiteralString, *values: Any) -> None:
    async with database.connection() as connection:
        await connection.execute(query, values)


async def _one(connection: Connection, query: LiteralString, values: tuple[Any, ...]) -> Run:
    row = await (await connection.execute(query, values)).fetchone()
    assert row
    return Run(**row)
