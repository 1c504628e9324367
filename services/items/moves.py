"""Moves an item along its life, and writes the events that tell of it in the same transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from services.chassis import outbox
from services.chassis.database import Connection
from services.chassis.logs import request_id
from services.contracts import (
    CloudEvent,
    EventData,
    ItemPublished,
    ItemRegistered,
    ItemRemoved,
    ItemScreened,
    Suggested,
)
from services.items import life, withholding
from services.items.life import Act, Step
from services.items.stored import Stored, save

SOURCE = "/items"


@dataclass(frozen=True)
class Moved:
    """An item after a step, and what has to be told of it."""

    item: Stored
    events: list[CloudEvent]


async def move(
    connection: Connection, item: Stored, act: Act, *, cause: CloudEvent | None = None, **changes: Any
) -> Stored:
    """Take one step: the row, and the events it calls for. Raises NotPossible."""
    publishes = life.step(item.state, act).publishes
    screening = await screening_of(connection, item.changed(**changes)) if publishes else None
    moved = stepped(item, act, screening, cause=cause, **changes)
    await save(connection, moved.item)
    await outbox.add_all(connection, moved.events)
    return moved.item


def stepped(
    item: Stored, act: Act, screening: ItemScreened | None, *, cause: CloudEvent | None = None, **changes: Any
) -> Moved:
    """One step that nobody has written down yet; `screening` is the item's. Raises NotPossible."""
    step = life.step(item.state, act)
    moved = item.changed(state=step.after, **changes)
    told = [*_farewell(step, moved), *_greeting(step, moved, screening)]
    return Moved(moved, [_event(data, cause) for data in told])


async def send(connection: Connection, data: EventData, cause: CloudEvent | None = None) -> None:
    """Put an event into the outbox."""
    await outbox.add(connection, _event(data, cause))


def _event(data: EventData, cause: CloudEvent | None) -> CloudEvent:
    return CloudEvent.of(data, source=SOURCE, cause=cause, requestid=request_id.get())


def registered(item: Stored, suggestions: Sequence[Suggested] = ()) -> ItemRegistered:
    """Somebody has to judge this revision. What was suggested belongs to the first."""
    return ItemRegistered(
        item_id=item.id,
        revision=item.revision,
        sequence=item.sequence,
        owner_id=item.owner_id,
        image_id=item.image_id,
        title=item.title,
        description=item.description,
        category=item.category,
        suggestions=list(suggestions),
        registered_at=item.submitted_at,
    )


def _farewell(step: Step, item: Stored) -> list[EventData]:
    if not step.removes:
        return []
    why = life.WHY_REMOVED[step.act]
    return [
        ItemRemoved(item_id=item.id, revision=item.revision, sequence=item.sequence, image_id=item.image_id, why=why)
    ]


def _greeting(step: Step, item: Stored, screening: ItemScreened | None) -> list[EventData]:
    if step.asks_for_judgement:
        return [registered(item)]
    return [published(item, screening)] if step.publishes else []


async def screening_of(connection: Connection, item: Stored) -> ItemScreened | None:
    """The models' judgement of this revision; None when nobody could judge it."""
    found = await connection.execute("SELECT screening FROM screenings WHERE event_id = %s", (item.screening_id,))
    row = await found.fetchone()
    return ItemScreened.model_validate(row["screening"]) if row else None


def published(item: Stored, screening: ItemScreened | None) -> ItemPublished:
    """Everything search needs. A category that is withheld, unsure, or only a default's is left out."""
    screening = withholding.told(screening, item.withheld) if screening else None
    embedding = screening.embedding if screening else []
    judged = screening.category.label if screening and embedding and screening.category.sure else None
    return ItemPublished(
        item_id=item.id,
        revision=item.revision,
        sequence=item.sequence,
        owner_id=item.owner_id,
        owner_name=item.owner_name,
        image_id=item.image_id,
        title=item.title,
        description=item.description,
        category=item.category or judged,
        tags=screening.tags if screening else [],
        embedding=embedding,
        embedding_version=screening.embedding_version if screening else "",
        attributes=screening.attributes if screening else None,
        likes=item.likes,
        registered_at=item.registered_at,
        published_at=item.decided_at or datetime.now(UTC),
    )
