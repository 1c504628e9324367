"""Jobs as they are kept: the row is there before the quick answer is given, and goes when its result has expired.

Whoever takes a job holds it for a while (its lease) and goes on saying so. A job whose lease has ended belongs to
nobody, whatever became of the process that had it; `attempts` tells holders apart.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from psycopg.types.json import Jsonb

from services.chassis.database import Database
from services.chassis.ids import new_id

COLUMNS = "id, subject, state, attempts, fast, slow, error, cached, created_at, finished_at, expires_at"
State = Literal["waiting", "running", "done", "failed"]


@dataclass(frozen=True)
class Asked:
    """What somebody wants predicted, and the digest that the same question has again."""

    subject: str
    body: bytes
    content_type: str
    sha256: bytes


@dataclass(frozen=True)
class Job:
    """A job as it stands, without what was sent."""

    id: UUID
    subject: str
    state: State
    attempts: int
    fast: dict[str, Any] | None
    slow: dict[str, Any] | None
    error: str | None
    cached: bool
    created_at: datetime
    finished_at: datetime | None
    expires_at: datetime | None

    @property
    def ended(self) -> bool:
        """Whether nothing more happens to it."""
        return self.state in ("done", "failed")


@dataclass(frozen=True)
class Taken:
    """A job in the hands of this process."""

    id: UUID
    body: bytes
    content_type: str
    attempts: int
    age_seconds: float


class Jobs:
    """The table, and everything that is done with it."""

    def __init__(self, database: Database, *, lease_seconds: float, keep_seconds: float, cache_seconds: float) -> None:
        self._database = database
        self._lease, self._keep, self._fresh = (
            timedelta(seconds=s) for s in (lease_seconds, keep_seconds, cache_seconds)
        )

    async def book(self, asked: Asked) -> UUID:
        """A new job."""
        job_id = new_id()
        await self._do(
            "INSERT INTO jobs (id, subject, body, content_type, asked_sha256) VALUES (%s, %s, %s, %s, %s)",
            (job_id, asked.subject, asked.body, asked.content_type, asked.sha256),
        )
        return job_id

    async def again(self, asked: Asked) -> Job | None:
        """A job that is done already, because somebody asked the same a moment ago and models answered."""
        found = await self._rows(
            f"""
            INSERT INTO jobs
                (id, subject, content_type, asked_sha256, state, fast, slow, cached, finished_at, expires_at)
            SELECT %s, %s, content_type, asked_sha256, 'done', fast, slow, true, now(), now() + %s FROM jobs
            WHERE asked_sha256 = %s AND state = 'done' AND NOT cached AND finished_at > now() - %s
                AND fast->>'served_by' = 'model' AND slow->>'served_by' = 'model'
            ORDER BY finished_at DESC LIMIT 1 RETURNING {COLUMNS}
            """,  # noqa: S608 (literals)
            (new_id(), asked.subject, self._keep, asked.sha256, self._fresh),
        )
        return Job(**found[0]) if found else None

    async def find(self, job_id: UUID) -> Job | None:
        """One job."""
        found = await self._rows(f"SELECT {COLUMNS} FROM jobs WHERE id = %s", (job_id,))  # noqa: S608 (literals)
        return Job(**found[0]) if found else None

    async def forget(self, job_id: UUID) -> None:
        """It was refused."""
        await self._do("DELETE FROM jobs WHERE id = %s", (job_id,))

    async def note(self, job_id: UUID, fast: Mapping[str, Any]) -> None:
        """What was answered at once."""
        await self._do("UPDATE jobs SET fast = %s WHERE id = %s", (Jsonb(fast), job_id))

    async def take(self, most: int, *, besides: Sequence[UUID]) -> list[Taken]:
        """Up to so many jobs that wait, or whose holder is silent."""
        found = await self._rows(
            """
            UPDATE jobs SET state = 'running', attempts = attempts + 1, due_at = now() + %s
            WHERE id IN (
                SELECT id FROM jobs WHERE state IN ('waiting', 'running') AND due_at <= now() AND id <> ALL(%s)
                ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED
            )
            RETURNING id, body, content_type, attempts, extract(epoch FROM now() - created_at)::float AS age_seconds
            """,
            (self._lease, list(besides), most),
        )
        return [Taken(**row) for row in found]

    async def hold(self, taken: Sequence[Taken]) -> None:
        """They are still being worked on, as far as nobody else has taken them over."""
        await self._do(
            """
            UPDATE jobs SET due_at = now() + %s FROM unnest(%s::uuid[], %s::integer[]) AS held (id, attempts)
            WHERE jobs.id = held.id AND jobs.attempts = held.attempts AND state = 'running'
            """,
            (self._lease, [job.id for job in taken], [job.attempts for job in taken]),
        )

    async def done(self, job: Taken, slow: Mapping[str, Any]) -> None:
        """It has its answer; what was sent is not needed any longer."""
        await self._end(job, "slow = %s, state = 'done'", Jsonb(slow))

    async def failed(self, job: Taken, error: str) -> None:
        """It will never have an answer."""
        await self._end(job, "error = %s, state = 'failed'", error)

    async def put_back(self, job: Taken, pause_seconds: float) -> None:
        """Somebody shall try again, after a pause."""
        await self._do(
            """
            UPDATE jobs SET state = 'waiting', due_at = now() + %s
            WHERE id = %s AND attempts = %s AND state = 'running'
            """,
            (timedelta(seconds=pause_seconds), job.id, job.attempts),
        )

    async def expire(self) -> None:
        """Remove what nobody may ask after any longer."""
        await self._do("DELETE FROM jobs WHERE expires_at < now()", ())

    async def waiting(self) -> int:
        """How many have no slow answer yet."""
        found = await self._rows("SELECT count(*) AS count FROM jobs WHERE state IN ('waiting', 'running')", ())
        return int(found[0]["count"])

    async def _end(self, job: Taken, change: str, value: object) -> None:
        await self._do(
            f"""
            UPDATE jobs SET {change}, body = NULL, finished_at = now(), expires_at = now() + %s
            WHERE id = %s AND attempts = %s AND state = 'running'
            """,  # noqa: S608 (literals)
            (value, self._keep, job.id, job.attempts),
        )

    async def _rows(self, sql: str, values: Sequence[object]) -> list[dict[str, Any]]:
        async with self._database.connection() as connection:
            return await (await connection.execute(sql.encode(), values)).fetchall()

    async def _do(self, sql: str, values: Sequence[object]) -> None:
        async with self._database.connection() as connection:
            await connection.execute(sql.encode(), values)
