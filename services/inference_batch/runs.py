"""Runs are rows: unique by job and window, owned by one process at a time, taken over when it dies."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel

from services.chassis.database import Connection, Database
from services.chassis.ids import new_id
from services.inference_batch.windows import Retry, Schedule, Window

State = Literal["waiting", "running", "done", "failed"]
OPEN: tuple[State, ...] = ("waiting", "running")


class Run(BaseModel):
    """One job over one window."""

    id: UUID
    job: str
    window_start: datetime
    window_end: datetime
    state: State
    why: Literal["schedule", "hand"]
    asked_by: str
    retry: Retry
    attempts_left: int
    attempt: int
    after: str
    total: int | None
    done: int
    failed: int
    error: str
    deadline_at: datetime
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class Lost(Exception):
    """Another process has taken the run over."""


COLUMNS = ", ".join(Run.model_fields)


async def schedules(database: Database, *, switched_off_too: bool = False) -> list[Schedule]:
    """Every schedule; a job that is switched off can still be run by hand."""
    rows = await _all(database, "SELECT * FROM schedules WHERE enabled OR %s ORDER BY job", (switched_off_too,))
    return [Schedule(**row) for row in rows]


async def ends(database: Database, job: str) -> list[datetime]:
    """When the job's last window ended; a list, empty when it never ran."""
    question = "SELECT max(window_end) AS last FROM runs WHERE job = %s AND why = 'schedule'"
    rows = await _all(database, question, (job,))
    return [row["last"] for row in rows if row["last"]]


async def queue(
    database: Database, schedule: Schedule, window: Window, why: Literal["schedule", "hand"], asked_by: str = ""
) -> Run:
    """Queue a run; the one that is there already if the window was run before."""
    values = {
        "id": new_id(),
        "job": schedule.job,
        "start": window.start,
        "end": window.end,
        "why": why,
        "by": asked_by,
        "retry": schedule.retry,
        "attempts": schedule.attempts,
        "deadline": schedule.deadline,
    }
    await _all(
        database,
        """
        INSERT INTO runs (id, job, window_start, window_end, why, asked_by, retry, attempts_left, deadline_at)
        VALUES (%(id)s, %(job)s, %(start)s, %(end)s, %(why)s, %(by)s, %(retry)s, %(attempts)s - 1,
                greatest(%(end)s, now()) + %(deadline)s)
        ON CONFLICT (job, window_start, window_end) DO NOTHING RETURNING id
        """,
        values,
    )
    question = f"SELECT {COLUMNS} FROM runs WHERE (job, window_start, window_end) = (%(job)s, %(start)s, %(end)s)"  # noqa: S608
    return Run.model_validate((await _all(database, question, values))[0])


async def newest(database: Database, limit: int) -> list[Run]:
    """The last runs, the newest first."""
    rows = await _all(database, f"SELECT {COLUMNS} FROM runs ORDER BY created_at DESC, id DESC LIMIT %s", (limit,))  # noqa: S608
    return [Run.model_validate(row) for row in rows]


async def find(database: Database, run_id: UUID) -> Run | None:
    """One run."""
    rows = await _all(database, f"SELECT {COLUMNS} FROM runs WHERE id = %s", (run_id,))  # noqa: S608
    return Run.model_validate(rows[0]) if rows else None


FREE = """
job = ANY(%(jobs)s) AND (
    (state = 'waiting' AND due_at <= now()) OR (state = 'running' AND beat_at < now() - %(lease)s)
)
"""


async def next_open(database: Database, jobs: Sequence[str], lease: timedelta) -> Run | None:
    """The run that is to be done next, if there is one that nobody does."""
    question = f"SELECT {COLUMNS} FROM runs WHERE {FREE} ORDER BY window_end, id LIMIT 1"  # noqa: S608
    rows = await _all(database, question, {"jobs": list(jobs), "lease": lease})
    return Run.model_validate(rows[0]) if rows else None


async def claim(
    database: Database, owner: UUID, jobs: Sequence[str], lease: timedelta, only: UUID | None
) -> Run | None:
    """Take a run that waits, or one whose owner has not been heard of for as long as the lease."""
    rows = await _all(
        database,
        f"""
        UPDATE runs SET state = 'running', owner = %(owner)s, beat_at = now(), started_at = coalesce(started_at, now())
        WHERE id = (
            SELECT id FROM runs
            WHERE (%(only)s::uuid IS NULL OR id = %(only)s) AND {FREE}
            ORDER BY window_end, id LIMIT 1 FOR UPDATE SKIP LOCKED
        )
        RETURNING {COLUMNS}
        """,  # noqa: S608
        {"owner": owner, "jobs": list(jobs), "lease": lease, "only": only},
    )
    return Run.model_validate(rows[0]) if rows else None


async def move(connection: Connection, run: Run, owner: UUID, **changes: Any) -> Run:
    """Change a run one owns, in the caller's transaction; raises Lost when another process owns it now."""
    assigned = ", ".join(f"{name} = %({name})s" for name in changes)
    rows = await connection.execute(
        f"UPDATE runs SET beat_at = now(){', ' if assigned else ''}{assigned} "  # noqa: S608
        f"WHERE id = %(run_id)s AND owner = %(by)s AND state = 'running' RETURNING {COLUMNS}",
        changes | {"run_id": run.id, "by": owner},
    )
    row = await rows.fetchone()
    if row is None:
        raise Lost(f"run {run.id} is another's now")
    return Run.model_validate(row)


async def note_failures(connection: Connection, run: Run, errors: Mapping[str, str]) -> None:
    """Keep which rows failed, and why."""
    async with connection.cursor() as cursor:
        await cursor.executemany(
            """
            INSERT INTO failures (run_id, key, error, attempt) VALUES (%s, %s, %s, %s)
            ON CONFLICT (run_id, key) DO UPDATE SET error = excluded.error, attempt = excluded.attempt
            """,
            [(run.id, key, error[:500], run.attempt) for key, error in errors.items()],
        )


async def failures(database: Database, run_id: UUID, limit: int = 10_000) -> dict[str, str]:
    """The rows of a run that failed, in the order of their keys."""
    question = "SELECT key, error FROM failures WHERE run_id = %s ORDER BY key LIMIT %s"
    return {row["key"]: row["error"] for row in await _all(database, question, (run_id, limit))}


async def clear_failures(connection: Connection, run: Run, keys: Sequence[str] | None = None) -> None:
    """These rows are done after all; without keys, every one of the run."""
    await connection.execute(
        "DELETE FROM failures WHERE run_id = %s AND (%s::text[] IS NULL OR key = ANY(%s))",
        (run.id, list(keys) if keys is not None else None, list(keys or ())),
    )


async def overview(database: Database) -> list[dict[str, Any]]:
    """For the metrics: what became of each job's runs and rows."""
    return await _all(
        database,
        """
        SELECT job, count(*) FILTER (WHERE state IN ('waiting', 'running')) AS open,
               count(*) FILTER (WHERE state = 'done') AS runs_done,
               count(*) FILTER (WHERE state = 'failed') AS runs_failed,
               sum(done) AS rows_done, sum(failed) AS rows_failed,
               count(*) FILTER (WHERE state <> 'done' AND deadline_at < now()
                   AND created_at > now() - interval '1 day') AS overdue,
               extract(epoch FROM max(finished_at) FILTER (WHERE state = 'done')) AS succeeded_at,
               extract(epoch FROM (array_agg(finished_at - started_at ORDER BY finished_at DESC)
                   FILTER (WHERE state = 'done'))[1]) AS seconds
        FROM runs GROUP BY job ORDER BY job
        """,
    )


async def _all(database: Database, question: str, values: Any = None) -> list[dict[str, Any]]:
    async with database.connection() as connection:
        cursor = await connection.execute(question, values)
        return await cursor.fetchall()
