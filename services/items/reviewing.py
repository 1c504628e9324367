"""What a moderator decides about an item; who decided what and when is kept."""

from datetime import UTC, datetime
from uuid import UUID

from services.chassis.auth import Caller
from services.chassis.database import Connection, Database
from services.chassis.errors import BadInput, Conflict, Fault, NotFound
from services.chassis.ids import new_id
from services.contracts import Reason
from services.items.changing import attempt
from services.items.entries import REASON_LENGTH, Decision
from services.items.life import Act
from services.items.stored import Stored, locked, transaction


async def decide(database: Database, item_id: UUID, moderator: Caller, decision: Decision) -> None:
    """Publish what waits, reject what waits, or take down what is published."""
    if decision.decision == "reject" and not decision.reason:
        raise BadInput("", Fault(where="body.reason", what="is empty", allowed=f"1 to {REASON_LENGTH} characters"))
    async with transaction(database) as connection:
        item = await locked(connection, item_id)
        if item is None:
            raise NotFound("There is no such item.")
        if decision.revision not in (None, item.revision):
            raise Conflict(f"Its owner has changed it: it is at revision {item.revision} now.")
        await _record(connection, item, moderator, decision)
        act = Act.APPROVE if decision.decision == "publish" else Act.REFUSE
        reasons = _reasons(item, decision)
        await attempt(connection, item, act, reasons=reasons, decided_at=datetime.now(UTC), decided_by_person=True)


def _reasons(item: Stored, decision: Decision) -> list[Reason]:
    """What the models found no longer counts once a person has published it."""
    said = [Reason(kind="moderator", label=decision.reason, by="moderator")] if decision.reason else []
    return said if decision.decision == "publish" else [*item.reasons, *said]


async def _record(connection: Connection, item: Stored, moderator: Caller, decision: Decision) -> None:
    await connection.execute(
        """
        INSERT INTO decisions (id, item_id, revision, decision, reason, moderator_id, moderator_name)
        VALUES (%s, %s, %s, %s, %s, %s, %s)
        """,
        (new_id(), item.id, item.revision, decision.decision, decision.reason, moderator.id, moderator.name),
    )
