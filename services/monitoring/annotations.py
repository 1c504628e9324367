"""Annotations: notes on every graph that say what was done at that moment."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel

from services.chassis.database import Connection, Database
from services.chassis.ids import new_id

Kind = Literal["release", "training"]


class Note(BaseModel):
    """What is to be noted. The key makes noting it twice the same as once."""

    key: str
    kind: Kind
    began_at: datetime
    ended_at: datetime | None = None
    text: str
    tags: list[str]


class Annotation(BaseModel):
    """A note as it is kept; `sent_at` is when Grafana had it."""

    id: UUID
    kind: Kind
    began_at: datetime
    ended_at: datetime | None
    text: str
    tags: list[str]
    sent_at: datetime | None


LISTED = """
SELECT id, kind, began_at, ended_at, text, tags, sent_at FROM annotations
WHERE %(kind)s::text IS NULL OR kind = %(kind)s
ORDER BY began_at DESC, id DESC LIMIT %(limit)s
"""
UNSENT = """
SELECT id, kind, began_at, ended_at, text, tags, sent_at FROM annotations
WHERE sent_at IS NULL ORDER BY began_at, id LIMIT %s
"""


async def note(connection: Connection, notes: Sequence[Note]) -> int:
    """Keep what is new; returns how many were."""
    new = 0
    for one in notes:
        done = await connection.execute(
            "INSERT INTO annotations (id, key, kind, began_at, ended_at, text, tags) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (key) DO NOTHING",
            (new_id(), one.key, one.kind, one.began_at, one.ended_at, one.text, one.tags),
        )
        new += done.rowcount
    return new


async def listed(database: Database, kind: Kind | None, limit: int) -> list[Annotation]:
    """The newest first."""
    async with database.connection() as connection:
        rows = await connection.execute(LISTED, {"kind": kind, "limit": limit})
        return [Annotation(**row) for row in await rows.fetchall()]


async def unsent(database: Database, limit: int) -> list[Annotation]:
    """What Grafana does not have yet, the oldest first."""
    async with database.connection() as connection:
        rows = await connection.execute(UNSENT, (limit,))
        return [Annotation(**row) for row in await rows.fetchall()]


async def sent(database: Database, annotation: Annotation, grafana_id: int) -> None:
    """Grafana has it."""
    async with database.connection() as connection:
        await connection.execute(
            "UPDATE annotations SET sent_at = now(), grafana_id = %s WHERE id = %s", (grafana_id, annotation.id)
        )
