"""What moderators decide about items, and take back; who decided what and when is kept, and told as a label."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

from psycopg.types.json import Jsonb

from services.chassis.auth import Caller
from services.chassis.database import Connection, Database
from services.chassis.errors import BadInput, Conflict, Fault, NotFound
from services.chassis.ids import new_id
from services.contracts import ItemReviewed, Reason
from services.items.changing import attempt
from services.items.entries import REASON_LENGTH, Decision
from services.items.life import Act, State
from services.items.moves import screening_of, send
from services.items.stored import Stored, locked, transaction

BEFORE = ("state", "reasons", "decided_at", "decided_by_person", "withheld", "searchable_at", "searchable_seconds")
"""What a decision changes of an item, and taking it back restores."""


@dataclass(frozen=True)
class Made:
    """A decision, or that one was taken back."""

    id: UUID
    decision: Literal["publish", "reject", "undo"]
    reason: str
    label: str | None


async def decide(database: Database, item_id: UUID, moderator: Caller, decision: Decision) -> None:
    """Publish what waits, reject what waits, or take down what is published."""
    _check(decision)
    async with transaction(database) as connection:
        item = await locked(connection, item_id)
        if item is None:
            raise NotFound("There is no such item.")
        await _still_as_seen(connection, item, decision)
        made = await _record(connection, item, moderator, decision)
        act = Act.APPROVE if decision.decision == "publish" else Act.REFUSE
        withheld = [] if decision.decision == "publish" and decision.show_labels else item.withheld
        moved = await attempt(
            connection,
            item,
            act,
            reasons=_reasons(item, decision),
            withheld=withheld,
            decided_at=datetime.now(UTC),
            decided_by_person=True,
        )
        await _tell(connection, moved, moderator, made, found=item.reasons)


async def undo(database: Database, decision_id: UUID, moderator: Caller) -> UUID:
    """Take a decision back: the item is where it was. Only the last one, while nothing has happened since."""
    async with transaction(database) as connection:
        item_id = await _item_of(connection, decision_id)
        item = await locked(connection, item_id)
        if item is None:
            raise NotFound("There is no such item.")
        made = await _decision(connection, decision_id)
        if made["undone_at"]:
            raise Conflict(f"{made['undone_by']} has taken it back already.")
        if not await _is_last(connection, item, made):
            raise Conflict("The item has moved on since: this decision cannot be taken back any more.")
        await connection.execute(
            "UPDATE decisions SET undone_at = now(), undone_by = %s WHERE id = %s", (moderator.name, decision_id)
        )
        before = made["before"]
        act = Act.RESTORE if before["state"] == State.PUBLISHED else Act.REOPEN
        moved = await attempt(connection, item, act, **_restored(item, before))
        taken_back = Made(decision_id, "undo", made["reason"], made["label"])
        await _tell(connection, moved, moderator, taken_back, found=moved.reasons)
    return item_id


def _check(decision: Decision) -> None:
    if decision.decision == "reject" and not (decision.reason or decision.label):
        allowed = f"1 to {REASON_LENGTH} characters, or a `label`"
        raise BadInput("", Fault(where="body.reason", what="is empty", allowed=allowed))
    if decision.decision == "publish" and decision.label:
        raise BadInput("", Fault(where="body.label", what="names a violation of what is published", allowed="nothing"))


async def _still_as_seen(connection: Connection, item: Stored, decision: Decision) -> None:
    """Two moderators look at the same item: the second is told what the first one did."""
    if decision.revision not in (None, item.revision):
        raise Conflict(f"Its owner has changed it: it is at revision {item.revision} now.")
    waits = item.state is State.NEEDS_REVIEW
    if decision.sequence in (None, item.sequence) and (waits or item.state is State.PUBLISHED):
        return
    last = await _last(connection, item)
    if last is not None and not waits:
        raise Conflict(f"{last['moderator_name']} has decided already: {last['decision']}.")
    if decision.sequence not in (None, item.sequence):
        raise Conflict("It has changed since you looked at it.")


def _reasons(item: Stored, decision: Decision) -> list[Reason]:
    """What the models found no longer counts once a person has published it."""
    named = [word for word in (decision.label, decision.reason) if word and word != "other"] or ["other"]
    if decision.decision == "reject":
        return [*item.reasons, *(Reason(kind="moderator", label=word, by="moderator") for word in named)]
    return [Reason(kind="moderator", label=decision.reason, by="moderator")] if decision.reason else []


async def _record(connection: Connection, item: Stored, moderator: Caller, decision: Decision) -> Made:
    decision_id = new_id()
    before = item.model_dump(mode="json", include=set(BEFORE))
    await connection.execute(
        """
        INSERT INTO decisions (id, item_id, revision, decision, reason, label, moderator_id, moderator_name, before)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (
            decision_id,
            item.id,
            item.revision,
            decision.decision,
            decision.reason,
            decision.label,
            moderator.id,
            moderator.name,
            Jsonb(before),
        ),
    )
    return Made(decision_id, decision.decision, decision.reason, decision.label)


async def _tell(connection: Connection, item: Stored, moderator: Caller, made: Made, *, found: list[Reason]) -> None:
    """The label, for whoever learns from it: with what the models had said, and by which versions."""
    screening = await screening_of(connection, item)
    reviewed = ItemReviewed(
        item_id=item.id,
        revision=item.revision,
        sequence=item.sequence,
        decision=made.decision,
        decision_id=made.id,
        reason=made.reason,
        label=made.label,
        moderator_id=moderator.id,
        image_id=item.image_id,
        title=item.title,
        description=item.description,
        category=item.category,
        reasons=found,
        models=screening.models if screening else {},
        reviewed_at=datetime.now(UTC),
    )
    await send(connection, reviewed)


async def _item_of(connection: Connection, decision_id: UUID) -> UUID:
    found: UUID = (await _decision(connection, decision_id))["item_id"]
    return found


async def _decision(connection: Connection, decision_id: UUID) -> dict[str, Any]:
    row = await (await connection.execute("SELECT * FROM decisions WHERE id = %s", (decision_id,))).fetchone()
    if row is None:
        raise NotFound("There is no such decision.")
    return row


async def _last(connection: Connection, item: Stored) -> dict[str, Any] | None:
    """The last decision that stands."""
    found = await connection.execute(
        "SELECT * FROM decisions WHERE item_id = %s AND undone_at IS NULL ORDER BY id DESC LIMIT 1", (item.id,)
    )
    return await found.fetchone()


async def _is_last(connection: Connection, item: Stored, made: dict[str, Any]) -> bool:
    last = await _last(connection, item)
    left_it = State.PUBLISHED if made["decision"] == "publish" else State.REJECTED
    stands = last is not None and last["id"] == made["id"] and made["before"] is not None
    return stands and item.revision == made["revision"] and item.state is left_it


def _restored(item: Stored, before: dict[str, Any]) -> dict[str, Any]:
    """The row's values as they were; the step itself brings the state."""
    known = Stored.model_validate(item.model_dump() | before)
    return {name: getattr(known, name) for name in BEFORE if name != "state"}
