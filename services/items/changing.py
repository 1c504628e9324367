"""What owners do to their items: register, edit, withdraw."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from services.chassis.auth import Caller
from services.chassis.database import Connection, Database
from services.chassis.errors import Conflict, NotAllowed, NotFound
from services.chassis.ids import new_id
from services.items.entries import Edit, Registration
from services.items.life import Act, NotPossible, State
from services.items.moves import move, registered, send
from services.items.stored import Stored, insert, locked, transaction
from services.items.suggested import suggested


@dataclass(frozen=True)
class Key:
    """An Idempotency-Key with what it was first sent for: a repeated request registers nothing twice."""

    owner_id: UUID
    key: str
    body_sha256: bytes

    @classmethod
    def of(cls, owner: Caller, key: str, entry: Registration) -> "Key":
        """The key of one owner for one body, whatever was suggested for it."""
        return cls(owner.id, key, hashlib.sha256(entry.model_dump_json(exclude={"suggestions"}).encode()).digest())


async def registered_before(database: Database, key: Key) -> UUID | None:
    """The item this key registered; raises Conflict when it was for another body."""
    async with database.connection() as connection:
        return await _registered_before(connection, key)


async def register(database: Database, owner: Caller, entry: Registration, key: Key | None) -> Stored | UUID:
    """The new item, or the id of what the key registered before. Row, event and key are one transaction."""
    item = _new(owner, entry)
    async with transaction(database) as connection:
        if key and not await _taken(connection, key, item.id):
            return await _registered_before(connection, key) or item.id
        await insert(connection, item)
        await send(connection, registered(item, suggested(entry)))
    return item


async def edit(database: Database, item_id: UUID, owner: Caller, entry: Edit) -> None:
    """A new revision that is judged again; an edit that changes nothing is none."""
    async with transaction(database) as connection:
        item = await _own(connection, item_id, owner)
        changes = {name: value for name, value in entry.changes().items() if getattr(item, name) != value}
        if changes:
            await attempt(connection, item, Act.EDIT, **changes, **_unjudged(item))


async def withdraw(database: Database, item_id: UUID, owner: Caller) -> None:
    """Take the item back for good; doing it twice is fine."""
    async with transaction(database) as connection:
        item = await _own(connection, item_id, owner)
        if item.state is not State.WITHDRAWN:
            await attempt(connection, item, Act.WITHDRAW)


async def attempt(connection: Connection, item: Stored, act: Act, **changes: Any) -> Stored:
    """Move the item; what its state does not allow is a conflict for the one who asked."""
    try:
        return await move(connection, item, act, **changes)
    except NotPossible as error:
        raise Conflict(str(error)) from error


def _new(owner: Caller, entry: Registration) -> Stored:
    now = datetime.now(UTC)
    return Stored(
        id=new_id(),
        revision=1,
        sequence=1,
        owner_id=owner.id,
        owner_name=owner.name,
        state=State.SCREENING,
        registered_at=now,
        submitted_at=now,
        **entry.model_dump(exclude={"suggestions"}),
    )


def _unjudged(item: Stored) -> dict[str, Any]:
    """What the judgement of the revision before had left behind goes."""
    return {
        "revision": item.revision + 1,
        "submitted_at": datetime.now(UTC),
        "reasons": [],
        "screening_id": None,
        "withheld": [],
        "decided_by_person": False,
        "decided_at": None,
        "searchable_at": None,
        "searchable_seconds": None,
    }


async def _own(connection: Connection, item_id: UUID, owner: Caller) -> Stored:
    item = await locked(connection, item_id)
    if item is None or (item.owner_id != owner.id and item.state is not State.PUBLISHED):
        raise NotFound("There is no such item, or you may not see it.")
    if item.owner_id != owner.id:
        raise NotAllowed("Only its owner may change an item.")
    return item


async def _taken(connection: Connection, key: Key, item_id: UUID) -> bool:
    """Whether the key was free. A request with the same key that is under way is waited for."""
    done = await connection.execute(
        "INSERT INTO registrations (owner_id, key, body_sha256, item_id) VALUES (%s, %s, %s, %s) "
        "ON CONFLICT DO NOTHING",
        (key.owner_id, key.key, key.body_sha256, item_id),
    )
    return done.rowcount == 1


async def _registered_before(connection: Connection, key: Key) -> UUID | None:
    found = await connection.execute(
        "SELECT item_id, body_sha256 FROM registrations WHERE owner_id = %s AND key = %s", (key.owner_id, key.key)
    )
    row = await found.fetchone()
    if row is None:
        return None
    if bytes(row["body_sha256"]) != key.body_sha256:
        raise Conflict("This Idempotency-Key was used for another body.")
    item_id: UUID = row["item_id"]
    return item_id
