"""Jobs as they are kept: the row is there before anybody is answered, and goes when its result has expired.

Whoever takes a job holds it for a while (its lease) and goes on saying so; a job whose lease has ended
belongs to nobody, whatever became of the process that had it. `attempts` tells holders apart: one who
was too slow cannot finish what another has taken over.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from psycopg import Rollback
from psycopg.types.json import Jsonb

from services.chassis.database import Connection, Database
from services.chassis.errors import Conflict, Problem
from services.chassis.ids import new_id
from services.prediction import Context

Form = Literal["raw", "tensors"]
OPEN = ("waiting", "running")


class TooManyJobs(Problem):
    """Too many jobs are waiting."""

    status = 429

    def __init__(self, detail: str) -> None:
        super().__init__(detail, headers={"Retry-After": "5"})


@dataclass(frozen=True)
class Asked:
    """What somebody wants predicted. A `key` makes asking twice the same as asking once."""

    subject: str
    model: str
    form: Form
    rows: int
    body: bytes
    context: Context
    sha256: bytes
    key: str | None = None
    callback: str | None = None


@dataclass(frozen=True)
class Job:
    """A job as it stands, without what was sent."""

    id: UUID
    subject: str
    model: str
    form: Form
    rows: int
    state: Literal["waiting", "running", "done", "failed"]
    attempts: int
    prediction: dict[str, Any] | None
    error: str | None
    created_at: datetime
    finished_at: datetime | None
    expires_at: datetime | None
    callback: dict[str, Any] | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing more happens to it."""
        return self.state not in OPEN


@dataclass(frozen=True)
class Taken:
    """A job in the hands of this process. `failures` counts what went wrong with it before."""

    id: UUID
    model: str
    form: Form
    body: bytes
    context: Context
    attempts: int
    failures: int
    age_seconds: float


class Jobs:
    """The table, and everything that is done with it."""

    def __init__(self, database: Database, *, lease: timedelta, keep: timedelta, most: int, most_each: int) -> None:
        self._database, self._lease, self._keep = database, lease, keep
        self._most, self._most_each = most, most_each

    async def add(self, asked: Asked) -> Job:
        """The new job, or the one that its key made before; raises Conflict, TooManyJobs."""
        async with self._database.connection() as connection:
            known = await self._known(connection, asked)
            if known:
                return known
            await self._room(connection, asked.subject)
            job_id = new_id()
            async with connection.transaction():
                await _insert(connection, job_id, asked)
                if asked.key and not await _take_key(connection, job_id, asked):
                    raise Rollback
            return await self._known(connection, asked) or await _read(connection, job_id)

    async def find(self, job_id: UUID) -> Job | None:
        """One job."""
        async with self._database.connection() as connection:
            return await _maybe(connection, job_id)

    async def take(self, most: int, *, besides: Sequence[UUID]) -> list[Taken]:
        """Up to so many jobs that wait, or whose holder is silent; they are this process's until the lease ends."""
        async with self._database.connection() as connection:
            found = await connection.execute(
                """
                UPDATE jobs SET state = 'running', attempts = attempts + 1, due_at = now() + %s,
                    failures = failures + (state = 'running')::integer
                WHERE id IN (
                    SELECT id FROM jobs
                    WHERE state IN ('waiting', 'running') AND due_at <= now() AND id <> ALL(%s)
                    ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED
                )
                RETURNING id, model, form, body, context, attempts, failures,
                    extract(epoch FROM now() - created_at)::float AS age_seconds
                """,
                (self._lease, list(besides), most),
            )
            return [_taken(row) for row in await found.fetchall()]

    async def hold(self, taken: Sequence[Taken]) -> None:
        """They are still being worked on, as far as nobody else has taken them over."""
        if taken:
            async with self._database.connection() as connection:
                await connection.execute(
                    """
                    UPDATE jobs SET due_at = now() + %s
                    FROM unnest(%s::uuid[], %s::integer[]) AS held (id, attempts)
                    WHERE jobs.id = held.id AND jobs.attempts = held.attempts AND state = 'running'
                    """,
                    (self._lease, [job.id for job in taken], [job.attempts for job in taken]),
                )

    async def done(self, job: Taken, prediction: Mapping[str, Any]) -> bool:
        """It has its answer. False when somebody else has the job by now: then this answer counts for nothing."""
        return await self._end(job, "done", prediction=Jsonb(prediction))

    async def failed(self, job: Taken, error: str) -> bool:
        """It will never have an answer."""
        return await self._end(job, "failed", error=error)

    async def put_back(self, job: Taken, seconds: float, *, failed: bool) -> None:
        """Somebody shall try again, after a pause."""
        async with self._database.connection() as connection:
            await connection.execute(
                """
                UPDATE jobs SET state = 'waiting', due_at = now() + %s, failures = failures + %s::integer
                WHERE id = %s AND state = 'running' AND attempts = %s
                """,
                (timedelta(seconds=seconds), failed, job.id, job.attempts),
            )

    async def forget(self) -> int:
        """Drop what has expired."""
        async with self._database.connection() as connection:
            return (await connection.execute("DELETE FROM jobs WHERE expires_at < now()")).rowcount

    async def counted(self) -> tuple[dict[str, int], float]:
        """How many jobs there are by state, and how long the oldest open one has waited."""
        async with self._database.connection() as connection:
            found = await connection.execute(
                "SELECT state, count(*) AS n, extract(epoch FROM now() - min(created_at))::float AS oldest"
                " FROM jobs GROUP BY state"
            )
            rows = await found.fetchall()
        oldest = max((row["oldest"] for row in rows if row["state"] in OPEN), default=0.0)
        return {row["state"]: row["n"] for row in rows}, oldest

    async def _end(self, job: Taken, state: str, *, prediction: Jsonb | None = None, error: str | None = None) -> bool:
        async with self._database.connection() as connection, connection.transaction():
            ended = await connection.execute(
                """
                UPDATE jobs SET state = %s, prediction = %s, error = %s, body = NULL,
                    finished_at = now(), expires_at = now() + %s
                WHERE id = %s AND state = 'running' AND attempts = %s
                """,
                (state, prediction, error, self._keep, job.id, job.attempts),
            )
            await connection.execute(
                "UPDATE callbacks SET state = 'due', due_at = now() WHERE job_id = %s AND state = 'waiting' AND %s",
                (job.id, ended.rowcount == 1),
            )
        return ended.rowcount == 1

    async def _known(self, connection: Connection, asked: Asked) -> Job | None:
        if asked.key is None:
            return None
        found = await connection.execute(
            "SELECT job_id, asked_sha256 FROM job_keys WHERE subject = %s AND key = %s", (asked.subject, asked.key)
        )
        row = await found.fetchone()
        if row and bytes(row["asked_sha256"]) != asked.sha256:
            raise Conflict("This Idempotency-Key was sent with another request.")
        return await _maybe(connection, row["job_id"]) if row else None

    async def _room(self, connection: Connection, subject: str) -> None:
        found = await connection.execute(
            "SELECT count(*) AS n, count(*) FILTER (WHERE subject = %s) AS own FROM jobs"
            " WHERE state IN ('waiting', 'running')",
            (subject,),
        )
        row = await found.fetchone()
        assert row
        if row["n"] >= self._most or (subject and row["own"] >= self._most_each):
            raise TooManyJobs(f"{row['n']} jobs are open, {row['own']} of them yours.")


async def _insert(connection: Connection, job_id: UUID, asked: Asked) -> None:
    await connection.execute(
        "INSERT INTO jobs (id, subject, model, form, rows, body, context) VALUES (%s, %s, %s, %s, %s, %s, %s)",
        (job_id, asked.subject, asked.model, asked.form, asked.rows, asked.body, Jsonb(asdict(asked.context))),
    )
    if asked.callback:
        await connection.execute("INSERT INTO callbacks (job_id, url) VALUES (%s, %s)", (job_id, asked.callback))


async def _take_key(connection: Connection, job_id: UUID, asked: Asked) -> bool:
    taken = await connection.execute(
        "INSERT INTO job_keys (subject, key, asked_sha256, job_id) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
        (asked.subject, asked.key, asked.sha256, job_id),
    )
    return taken.rowcount == 1


async def _read(connection: Connection, job_id: UUID) -> Job:
    job = await _maybe(connection, job_id)
    assert job
    return job


async def _maybe(connection: Connection, job_id: UUID) -> Job | None:
    found = await connection.execute(
        """
        SELECT jobs.id, subject, model, form, rows, jobs.state, jobs.attempts, prediction, jobs.error,
            created_at, finished_at, expires_at,
            CASE WHEN url IS NULL THEN NULL ELSE jsonb_build_object(
                'url', url, 'state', callbacks.state, 'attempts', callbacks.attempts, 'status', callbacks.status
            ) END AS callback
        FROM jobs LEFT JOIN callbacks ON callbacks.job_id = jobs.id
        WHERE jobs.id = %s AND (expires_at IS NULL OR expires_at >= now())
        """,
        (job_id,),
    )
    row = await found.fetchone()
    return Job(**row) if row else None


def _taken(row: Mapping[str, Any]) -> Taken:
    known = {name: row["context"][name] for name in Context.__dataclass_fields__ if name in row["context"]}
    return Taken(**(dict(row) | {"body": bytes(row["body"]), "context": Context(**known)}))
