"""Keeps every event that failed for good, of any service, until somebody sends it again.

An event that was cured (its picture is there now, the bug is mended) goes to the topic it came from,
with its own id: whoever had it already knows that.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from fastapi import APIRouter
from psycopg.types.json import Jsonb
from pydantic import BaseModel, Field

from services.chassis.auth import Operator
from services.chassis.backends import Backends
from services.chassis.bus import Bus
from services.chassis.database import Database
from services.chassis.service import Service
from services.contracts import DEAD_LETTER_REASON, EVENTS, CloudEvent, EventData
from services.inference_async.job_metrics import JobMetrics

log = logging.getLogger(__name__)

MOST = 500


class DeadLetter(BaseModel):
    """One of them."""

    topic: str
    event_id: UUID
    subject: str | None
    reason: str
    times: int
    readable: bool = Field(description="What is no event at all can be looked at, not sent again.")
    first_at: datetime
    last_at: datetime
    replayed_at: datetime | None


class Replay(BaseModel):
    """Which to send again: those of a topic, those named, or all."""

    topic: str | None = None
    event_ids: list[UUID] | None = Field(None, max_length=MOST)


class DeadLetters:
    """The table of them."""

    def __init__(self, database: Database, bus: Bus) -> None:
        self._database, self._bus = database, bus

    async def keep(self, topic: str, event: CloudEvent) -> None:
        """One more; one that fails again waits again."""
        async with self._database.connection() as connection:
            await connection.execute(
                """
                INSERT INTO dead_letters (topic, event_id, reason, event) VALUES (%s, %s, %s, %s)
                ON CONFLICT (topic, event_id) DO UPDATE SET times = dead_letters.times + 1, last_at = now(),
                    reason = excluded.reason, replayed_at = NULL, replayed_by = NULL
                """,
                (topic, event.id, str(event.data.get(DEAD_LETTER_REASON, "")), Jsonb(event.model_dump(mode="json"))),
            )

    async def waiting(self, wanted: Replay) -> list[DeadLetter]:
        """Those that nobody has sent again, the oldest first."""
        return [_told(row) for row in await self._rows(wanted)]

    async def replay(self, wanted: Replay, who: str) -> list[DeadLetter]:
        """Send them again and note it; one that is sent and not noted is sent twice, which does no harm."""
        rows = [row for row in await self._rows(wanted) if _readable(row)]
        for row in rows:
            await self._bus.publish(_cured(row["event"]), row["topic"])
            await self._note(row, who)
        return [_told(row) for row in rows]

    async def counted(self) -> dict[str, int]:
        """How many wait, by topic."""
        async with self._database.connection() as connection:
            found = await connection.execute(
                "SELECT topic, count(*) AS n FROM dead_letters WHERE replayed_at IS NULL GROUP BY topic"
            )
            return {row["topic"]: row["n"] for row in await found.fetchall()}

    async def _rows(self, wanted: Replay) -> Sequence[Mapping[str, Any]]:
        async with self._database.connection() as connection:
            found = await connection.execute(
                """
                SELECT * FROM dead_letters WHERE replayed_at IS NULL
                AND (%(topic)s::text IS NULL OR topic = %(topic)s)
                AND (%(ids)s::uuid[] IS NULL OR event_id = ANY(%(ids)s))
                ORDER BY first_at LIMIT %(most)s
                """,
                {"topic": wanted.topic, "ids": wanted.event_ids, "most": MOST},
            )
            return await found.fetchall()

    async def _note(self, row: Mapping[str, Any], who: str) -> None:
        said = {"action": "dead_letter.replayed", "event_id": row["event_id"], "topic": row["topic"], "by": who}
        log.info("sent again", extra=said)
        async with self._database.connection() as connection:
            await connection.execute(
                "UPDATE dead_letters SET replayed_at = now(), replayed_by = %s WHERE topic = %s AND event_id = %s",
                (who, row["topic"], row["event_id"]),
            )


def offer_dead_letters(service: Service, backends: Backends, metrics: JobMetrics) -> None:
    """Keep them as they come, and let operators send them again."""
    letters = DeadLetters(backends.database, backends.bus)
    for kind in EVENTS:
        service.consumes_dead_letters(anything(kind.type))(_keeping(letters, kind.type))
    service.app.include_router(routes(letters))

    @service.every(5)
    async def _counted() -> None:
        counts = await letters.counted()
        for kind in EVENTS:
            metrics.dead_letters.labels(kind.type).set(counts.get(kind.type, 0))


def routes(letters: DeadLetters) -> APIRouter:
    """`GET /api/dead-letters`, `POST /api/dead-letters/replay`."""
    router = APIRouter(prefix="/api/dead-letters", tags=["operation"])

    @router.get("")
    async def waiting(caller: Operator, topic: str | None = None) -> list[DeadLetter]:
        """What failed for good and was not sent again yet."""
        return await letters.waiting(Replay(topic=topic))

    @router.post("/replay")
    async def replay(caller: Operator, wanted: Replay) -> list[DeadLetter]:
        """Send it again, to the topic it came from."""
        return await letters.replay(wanted, caller.name or str(caller.id))

    return router


def anything(topic: str) -> type[EventData]:
    """A kind of event that fits whatever was buried, an unreadable one too."""

    class Buried(EventData):
        """Any data."""

        type: ClassVar[str] = topic

    return Buried


def _keeping(letters: DeadLetters, topic: str) -> Callable[[EventData, CloudEvent], Awaitable[None]]:
    async def keep(_: EventData, event: CloudEvent) -> None:
        await letters.keep(topic, event)

    return keep


def _cured(event: Mapping[str, Any]) -> CloudEvent:
    found = CloudEvent.model_validate(event)
    return found.model_copy(
        update={"data": {name: value for name, value in found.data.items() if name != DEAD_LETTER_REASON}}
    )


def _readable(row: Mapping[str, Any]) -> bool:
    return "unreadable" not in row["event"]["data"]


def _told(row: Mapping[str, Any]) -> DeadLetter:
    return DeadLetter(**row, subject=row["event"].get("subject"), readable=_readable(row))
