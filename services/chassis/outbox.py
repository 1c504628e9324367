"""The transactional outbox: an event is written with the change it tells of, and kept until its effect is back.

Every schema that sends events has the table (`OUTBOX_TABLE`). The relay sends what is new at once
and what is late again; `settle` removes the row when an effect names it as its cause.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Sequence
from datetime import timedelta
from math import inf
from uuid import UUID

from psycopg.rows import DictRow

from services.chassis.bus import Bus, BusUnavailable
from services.chassis.database import Connection, Database
from services.chassis.metrics import Metrics
from services.contracts import EFFECTS, CloudEvent

log = logging.getLogger(__name__)

OUTBOX_TABLE = """
CREATE TABLE outbox (
    id uuid PRIMARY KEY,
    type text NOT NULL,
    event jsonb NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    awaits text[] NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    due_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX outbox_due ON outbox (due_at);
"""

_EFFECTS = {event.type: [effect.type for effect in effects] for event, effects in EFFECTS.items()}
_ADD = "INSERT INTO outbox (id, type, event, awaits) VALUES (%s, %s, %s::jsonb, %s)"
_WAITING = """
SELECT count(*) AS n, coalesce(extract(epoch FROM now() - min(created_at)), 0)::float AS oldest FROM outbox
"""
BATCH = 100
LATE = timedelta(seconds=5)
LATEST = timedelta(seconds=60)
COUNT_SECONDS = 1.0


async def add(connection: Connection, event: CloudEvent) -> None:
    """Write the event in the caller's transaction."""
    await connection.execute(_ADD, _row(event))


async def add_all(connection: Connection, events: Sequence[CloudEvent]) -> None:
    """The same for several, sent to the database together."""
    async with connection.cursor() as cursor:
        await cursor.executemany(_ADD, [_row(event) for event in events])


def _row(event: CloudEvent) -> tuple[UUID, str, str, list[str]]:
    return event.id, event.type, event.model_dump_json(), _EFFECTS.get(event.type, [])


async def settle(connection: Connection, effect: CloudEvent) -> bool:
    """An effect has come back: when it was the last one, forget its cause. False when there is more to wait for."""
    names = (effect.causationid, effect.type)
    done = await connection.execute("DELETE FROM outbox WHERE id = %s AND awaits = ARRAY[%s::text]", names)
    if done.rowcount == 0:
        await connection.execute(
            "UPDATE outbox SET awaits = array_remove(awaits, %s::text) WHERE id = %s", (effect.type, effect.causationid)
        )
    return done.rowcount > 0


async def settle_all(connection: Connection, effects: Sequence[CloudEvent]) -> None:
    """The same for effects of one type; rows are locked in the order of their ids, so that nobody waits in a circle."""
    causes = [effect.causationid for effect in effects if effect.causationid is not None]
    if not causes:
        return
    back = (causes, effects[0].type)
    await connection.execute("SELECT FROM outbox WHERE id = ANY(%s) ORDER BY id FOR UPDATE", (causes,))
    done = await connection.execute("DELETE FROM outbox WHERE id = ANY(%s) AND awaits = ARRAY[%s::text]", back)
    if done.rowcount < len(set(causes)):
        await connection.execute(
            "UPDATE outbox SET awaits = array_remove(awaits, %s::text) WHERE id = ANY(%s)", (back[1], back[0])
        )


class Relay:
    """Sends the outbox's rows to the bus; safe to run in several processes."""

    def __init__(self, database: Database, bus: Bus, metrics: Metrics, *, late: timedelta = LATE) -> None:
        self._database, self._bus, self._metrics, self._late = database, bus, metrics, late
        self._woken = asyncio.Event()
        self._counted_at = -inf
        self._queue = timedelta(0)
        """How long the oldest of many has waited: a new one cannot have its effect before that one has."""

    def wake(self) -> None:
        """Something was committed: send it now."""
        self._woken.set()

    async def run(self) -> None:
        """Send until cancelled: at once when woken, and every half second for what is late."""
        while True:
            self._woken.clear()
            try:
                while await self.send_due() == BATCH:
                    pass
            except Exception as error:
                log.warning("outbox waits: %r", error, extra={"action": "outbox.waits"})
                await asyncio.sleep(0.2)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.5):  # wait_for of Python 3.11 may swallow a cancellation
                    await self._woken.wait()

    async def send_due(self) -> int:
        """Send what is new or late; returns how many. Rows are put off before sending: a dead relay blocks nobody."""
        async with self._database.connection() as connection:
            rows = await (
                await connection.execute(
                    """
                    UPDATE outbox SET attempts = attempts + 1,
                        due_at = now() + least(greatest(%s * (attempts + 1), %s), %s)
                    WHERE id IN (
                        SELECT id FROM outbox WHERE due_at <= now() ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
                    )
                    RETURNING id, type, event ->> 'subject' AS subject, event::text AS event, attempts
                    """,
                    (self._late, self._queue, LATEST, BATCH),
                )
            ).fetchall()
        rows.sort(key=lambda row: row["id"])
        for row in rows:
            if row["attempts"] > 1:
                log.info(
                    "sent again",
                    extra={"action": "outbox.resent", "event_id": row["id"], "try": row["attempts"]},
                )
        sent = await asyncio.gather(*map(self._send, rows))
        await self._finish([row for row, ok in zip(rows, sent, strict=True) if ok])
        await self._soon([row["id"] for row, ok in zip(rows, sent, strict=True) if not ok])
        await self._count()
        return len(rows)

    async def _send(self, row: DictRow) -> bool:
        """As it lies there: it was an event when it was written."""
        try:
            await self._bus.send(row["type"], row["subject"] or str(row["id"]), row["event"].encode())
        except BusUnavailable as error:
            log.warning("not sent: %s", error, extra={"action": "outbox.not_sent", "event_id": row["id"]})
            return False
        self._metrics.published.labels(row["type"]).inc()
        return True

    async def _finish(self, rows: Sequence[DictRow]) -> None:
        done = [row["id"] for row in rows if row["type"] not in _EFFECTS]
        if done:
            async with self._database.connection() as connection:
                await connection.execute("DELETE FROM outbox WHERE id = ANY(%s)", (done,))

    async def _soon(self, unsent: Sequence[UUID]) -> None:
        if unsent:
            async with self._database.connection() as connection:
                await connection.execute(
                    "UPDATE outbox SET attempts = attempts - 1, due_at = now() + interval '0.5 s' WHERE id = ANY(%s)",
                    (list(unsent),),
                )

    async def _count(self) -> None:
        """Now and then: where many wait, to count them costs more than to send some."""
        now = time.monotonic()
        if now - self._counted_at < COUNT_SECONDS:
            return
        self._counted_at = now
        async with self._database.connection() as connection:
            row = await (await connection.execute(_WAITING)).fetchone()
        rows, oldest = (row["n"], row["oldest"]) if row else (0, 0.0)
        self._metrics.outbox_rows.set(rows)
        self._metrics.outbox_oldest.set(oldest)
        self._queue = timedelta(seconds=oldest) if rows > BATCH else timedelta(0)
