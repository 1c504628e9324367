"""An item as its row holds it: read under a lock, changed as a value, written back."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb
from pydantic import BaseModel, ConfigDict

from services.chassis.database import Connection, Database
from services.contracts import Reason
from services.items.life import State


class Stored(BaseModel):
    """One row of `items`."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    id: UUID
    revision: int
    sequence: int
    owner_id: UUID
    owner_name: str
    image_id: str
    title: str
    description: str
    category: str | None
    state: State
    reasons: list[Reason] = []
    screening_id: UUID | None = None
    decided_by_person: bool = False
    withheld: list[str] = []
    likes: int = 0
    registered_at: datetime
    submitted_at: datetime
    decided_at: datetime | None = None
    searchable_at: datetime | None = None
    searchable_seconds: float | None = None

    def changed(self, **changes: Any) -> "Stored":
        """The next value of the row; whatever changes, the sequence counts it."""
        return self.model_copy(update={"sequence": self.sequence + 1, **changes})


COLUMNS = tuple(Stored.model_fields)
_INSERT = f"INSERT INTO items ({', '.join(COLUMNS)}) VALUES ({', '.join(f'%({name})s' for name in COLUMNS)})"  # noqa: S608
_UPDATE = f"UPDATE items SET {', '.join(f'{name} = %({name})s' for name in COLUMNS)} WHERE id = %(id)s"  # noqa: S608


@asynccontextmanager
async def transaction(database: Database) -> AsyncIterator[Connection]:
    """A connection in a transaction."""
    async with database.connection() as connection, connection.transaction():
        yield connection


async def insert(connection: Connection, item: Stored) -> None:
    """Write a new row."""
    await connection.execute(_INSERT, _values(item))


async def save(connection: Connection, item: Stored) -> None:
    """Write the row back; its lock must be held."""
    await connection.execute(_UPDATE, _values(item))


async def save_all(connection: Connection, items: Sequence[Stored]) -> None:
    """Several rows, sent to the database together."""
    async with connection.cursor() as cursor:
        await cursor.executemany(_UPDATE, [_values(item) for item in items])


async def locked(connection: Connection, item_id: UUID) -> Stored | None:
    """The row, locked until the transaction ends: changes of one item happen one after the other."""
    row = await (await connection.execute("SELECT * FROM items WHERE id = %s FOR UPDATE", (item_id,))).fetchone()
    return Stored.model_validate(row) if row else None


async def locked_all(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, Stored]:
    """Several rows, locked in the order of their ids, so that nobody waits in a circle."""
    found = await connection.execute("SELECT * FROM items WHERE id = ANY(%s) ORDER BY id FOR UPDATE", (list(ids),))
    return {row["id"]: Stored.model_validate(row) for row in await found.fetchall()}


def _values(item: Stored) -> dict[str, Any]:
    values = {name: getattr(item, name) for name in COLUMNS}
    reasons = Jsonb([reason.model_dump() for reason in item.reasons])
    return values | {"reasons": reasons, "withheld": Jsonb(item.withheld)}
