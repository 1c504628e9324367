"""What the models and search answer, applied to the item; every event may come twice, late, or out of order."""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from psycopg.types.json import Jsonb

from services.chassis import outbox
from services.chassis.database import Connection, Database
from services.contracts import (
    DEAD_LETTER_REASON,
    CloudEvent,
    ItemEvent,
    ItemIndexed,
    ItemRegistered,
    ItemRescored,
    ItemScreened,
    PictureShown,
    Reason,
    RescoringApplied,
    Verdict,
)
from services.deny_list import NOTHING, DenyList
from services.items import withholding
from services.items.life import Act, State
from services.items.moves import Moved, move, send, stepped
from services.items.stored import Stored, locked, locked_all, save, save_all, transaction

log = logging.getLogger(__name__)


async def screened(
    database: Database, several: Sequence[tuple[ItemScreened, CloudEvent]], deny_list: DenyList = NOTHING
) -> list[State | None]:
    """Apply the models' verdicts; the states they led to, None where the item has moved on."""
    async with transaction(database) as connection:
        items = await locked_all(connection, [data.item_id for data, _ in several])
        await outbox.settle_all(connection, [event for _, event in several])
        moved: list[Moved | None] = []
        for data, event in several:
            moved.append(_judged(items.get(data.item_id), data, event, deny_list))
            if one := moved[-1]:
                items[one.item.id] = one.item
            else:
                _ignored(event, data)
        made = [one for one in moved if one]
        await _keep(connection, [told for told, one in zip(several, moved, strict=True) if one])
        await save_all(connection, [one.item for one in made])
        await outbox.add_all(connection, [event for one in made for event in one.events])
        return [one.item.state if one else None for one in moved]


def _judged(item: Stored | None, data: ItemScreened, event: CloudEvent, deny_list: DenyList) -> Moved | None:
    """The item after its verdict, if it waits for this one."""
    if item is not None and _was_given_up(item, data):
        item = item.changed(state=State.SCREENING)
    if item is None or not _waits_for(item, data):
        return None
    verdict, reasons = _guarded(data, deny_list)
    decided = {"reasons": reasons, "screening_id": event.id, "decided_at": datetime.now(UTC)}
    decided |= {"withheld": withholding.denied(data, deny_list)}
    return stepped(item, Act(verdict), data, cause=event, **decided)


async def indexed(database: Database, several: Sequence[tuple[ItemIndexed, CloudEvent]]) -> list[float | None]:
    """Search has taken them in; the seconds it took since registration, the first time a revision is found."""
    async with transaction(database) as connection:
        items = await locked_all(connection, [data.item_id for data, _ in several])
        await outbox.settle_all(connection, [event for _, event in several])
        found: list[float | None] = []
        for data, _ in several:
            item = items.get(data.item_id)
            if item is None or not _became_searchable(item, data):
                found.append(None)
                continue
            seconds = max(0.0, (data.indexed_at - item.submitted_at).total_seconds())
            items[item.id] = item.changed(searchable_at=data.indexed_at, searchable_seconds=seconds)
            await save(connection, items[item.id])
            found.append(None if item.decided_by_person else seconds)
        return found


async def pictures_shown(database: Database, several: Sequence[tuple[PictureShown, CloudEvent]]) -> list[None]:
    """Images has taken them in."""
    async with transaction(database) as connection:
        await outbox.settle_all(connection, [event for _, event in several])
    return [None] * len(several)


async def rescored(database: Database, data: ItemRescored, event: CloudEvent, deny_list: DenyList = NOTHING) -> bool:
    """Newer models would not publish it: a moderator looks, unless one has decided, or the item has moved on."""
    async with transaction(database) as connection:
        item = await locked(connection, data.item_id)
        doubted = item is not None and _stands_on_models(item, data)
        if item is not None and doubted:
            named = [word for reason in data.reasons for word in (reason.label, reason.next_to) if word in deny_list]
            withheld = list(dict.fromkeys([*item.withheld, *(word for word in named if word)]))
            changes: dict[str, Any] = {"reasons": data.reasons, "withheld": withheld, "decided_at": datetime.now(UTC)}
            await move(connection, item, Act.DOUBT, cause=event, **changes)
        applied = RescoringApplied(
            item_id=data.item_id, revision=data.revision, sequence=data.sequence, doubted=doubted
        )
        await send(connection, applied, event)
        return doubted


async def given_up(database: Database, data: ItemRegistered, event: CloudEvent) -> None:
    """Nobody could judge it: a moderator has to."""
    async with transaction(database) as connection:
        item = await locked(connection, data.item_id)
        await buried(connection, data, event)
        await connection.execute("DELETE FROM outbox WHERE id = %s", (event.id,))
        if item is not None and _waits_for(item, data):
            await fail(connection, item, by="dead-letter", cause=event)


async def fail(connection: Connection, item: Stored, *, by: str, cause: CloudEvent | None = None) -> Stored:
    """Hand an item that could not be judged to the moderators."""
    log.warning("could not be judged", extra={"action": "item.failed", "item_id": item.id, "by": by})
    reasons = [Reason(kind="failed", label="not_judged", by=by)]
    return await move(connection, item, Act.FAIL, cause=cause, reasons=reasons, decided_at=datetime.now(UTC))


async def buried(connection: Connection, data: ItemEvent, event: CloudEvent) -> None:
    """Keep a dead letter where somebody can look at it; the same one is counted, not kept twice."""
    await connection.execute(
        """
        INSERT INTO dead_letters (event_id, type, item_id, reason, event) VALUES (%s, %s, %s, %s, %s)
        ON CONFLICT (event_id) DO UPDATE SET times = dead_letters.times + 1, last_at = now(), reason = excluded.reason
        """,
        (
            event.id,
            event.type,
            data.item_id,
            str(event.data.get(DEAD_LETTER_REASON, "")),
            Jsonb(event.model_dump(mode="json")),
        ),
    )


def _guarded(data: ItemScreened, deny_list: DenyList) -> tuple[Verdict, list[Reason]]:
    """The verdict, unless it would publish what the deny list holds back: whoever judged, this is the last door."""
    found = withholding.finding(data, deny_list) if data.verdict == "publish" else None
    return ("review", [*data.reasons, found]) if found else (data.verdict, data.reasons)


def _waits_for(item: Stored, data: ItemEvent) -> bool:
    return item.state is State.SCREENING and item.revision == data.revision


def _stands_on_models(item: Stored, data: ItemEvent) -> bool:
    return item.state is State.PUBLISHED and item.revision == data.revision and not item.decided_by_person


def _was_given_up(item: Stored, data: ItemEvent) -> bool:
    """Nobody could judge it, no person has decided yet, and now a replayed dead letter brings a verdict after all."""
    failed = bool(item.reasons) and all(reason.kind == "failed" for reason in item.reasons)
    return item.state is State.NEEDS_REVIEW and item.revision == data.revision and failed


def _became_searchable(item: Stored, data: ItemIndexed) -> bool:
    published = item.state is State.PUBLISHED and item.revision == data.revision
    return data.searchable and published and item.searchable_at is None


def _ignored(event: CloudEvent, data: ItemEvent) -> None:
    log.info(
        "%s is too late",
        event.type,
        extra={"action": "event.ignored", "item_id": data.item_id, "revision": data.revision},
    )


async def _keep(connection: Connection, several: Sequence[tuple[ItemScreened, CloudEvent]]) -> None:
    async with connection.cursor() as cursor:
        await cursor.executemany(
            """
            INSERT INTO screenings (event_id, cause_id, item_id, revision, screening, screened_at)
            VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
            """,
            [
                (event.id, event.causationid, data.item_id, data.revision, data.model_dump_json(), data.screened_at)
                for data, event in several
            ],
        )
