"""Everything that shows items reads here, through `visible_items`: the one place that says who sees what."""

from dataclasses import dataclass
from typing import Any, LiteralString
from uuid import UUID

from services.chassis.auth import Caller
from services.chassis.database import Database
from services.chassis.errors import NotFound
from services.items.entries import Page, QueuePage
from services.items.life import State
from services.items.shown import DecisionMade, Decisions, Item, Items, Queue


@dataclass(frozen=True)
class Reader:
    """Who reads: somebody, or nobody in particular, and whether unpublished items of others are their work."""

    id: UUID | None
    sees_all: bool

    @classmethod
    def of(cls, caller: Caller | None) -> "Reader":
        """The caller as a reader: moderators and operators see everything."""
        return cls(caller.id if caller else None, bool(caller and caller.roles & {"moderator", "operator"}))


_SHOWN: LiteralString = """
    SELECT item.*, screenings.screening - 'embedding' AS screening,
        EXISTS (SELECT FROM likes WHERE likes.item_id = item.id AND likes.user_id = %(reader)s) AS liked
    FROM visible_items(%(reader)s, %(sees_all)s) AS item
    LEFT JOIN screenings ON screenings.event_id = item.screening_id
"""


_DECISIONS: LiteralString = """
    SELECT made.id, made.item_id, item.image_id, item.title, made.decision, made.label, made.reason,
        made.moderator_name, made.decided_at, made.undone_at, made.undone_by,
        made.undone_at IS NULL AND made.before IS NOT NULL AND made.revision = item.revision
        AND item.state = CASE made.decision WHEN 'publish' THEN 'published' ELSE 'rejected' END
        AND NOT EXISTS (
            SELECT FROM decisions AS later
            WHERE later.item_id = made.item_id AND later.id > made.id AND later.undone_at IS NULL
        ) AS undoable
    FROM decisions AS made JOIN items AS item ON item.id = made.item_id
    WHERE %(cursor)s::uuid IS NULL OR made.id < %(cursor)s
    ORDER BY made.id DESC LIMIT %(limit)s
"""
"""For moderators alone: they see every item."""


async def one(database: Database, item_id: UUID, reader: Reader) -> Item:
    """An item; raises NotFound, also when it is not for the reader to see."""
    rows = await _rows(database, _SHOWN + "WHERE item.id = %(item)s", reader, item=item_id)
    if not rows:
        raise NotFound("There is no such item, or you may not see it.")
    return Item.of(rows[0], moderates=reader.sees_all)


async def mine(database: Database, owner: Reader, state: State | None, page: Page) -> Items:
    """What the reader registered, newest first."""
    return await _page(
        database,
        """WHERE item.owner_id = %(reader)s
           AND (%(state)s::text IS NULL OR item.state = %(state)s)
           AND (%(cursor)s::uuid IS NULL OR item.id < %(cursor)s)
           ORDER BY item.id DESC LIMIT %(limit)s""",
        owner,
        page,
        state=state,
    )


async def review_queue(database: Database, moderator: Reader, page: QueuePage) -> Queue:
    """What waits for a moderator: who has waited longest comes first, however often it was edited before."""
    moment, item_id = page.after or (None, None)
    rows = await _rows(
        database,
        _SHOWN
        + """WHERE item.state = 'needs_review'
             AND (%(moment)s::timestamptz IS NULL OR (item.decided_at, item.id) > (%(moment)s, %(after)s::uuid))
             ORDER BY item.decided_at, item.id LIMIT %(limit)s""",
        moderator,
        moment=moment,
        after=item_id,
        limit=page.limit + 1,
    )
    items = [Item.of(row, moderates=moderator.sees_all) for row in rows[: page.limit]]
    last = items[-1] if len(rows) > page.limit else None
    following = QueuePage.behind(last.decided_at, last.id) if last and last.decided_at else None
    return Queue(items=items, next=following, **await _waiting(database))


async def decisions(database: Database, page: Page) -> Decisions:
    """What moderators have decided, newest first."""
    async with database.connection() as connection:
        found = await connection.execute(_DECISIONS, {"cursor": page.cursor, "limit": page.limit + 1})
        rows = await found.fetchall()
    made = [DecisionMade.model_validate(row) for row in rows[: page.limit]]
    return Decisions(decisions=made, next=made[-1].id if len(rows) > page.limit else None)


async def _waiting(database: Database) -> dict[str, Any]:
    async with database.connection() as connection:
        found = await connection.execute(
            "SELECT count(*) AS waiting, min(decided_at) AS oldest_at FROM items WHERE state = 'needs_review'"
        )
        return await found.fetchone() or {"waiting": 0, "oldest_at": None}


async def _page(database: Database, where: LiteralString, reader: Reader, page: Page, **values: Any) -> Items:
    """One more row than asked for is read: it says that there is a next page."""
    rows = await _rows(database, _SHOWN + where, reader, cursor=page.cursor, limit=page.limit + 1, **values)
    shown = [Item.of(row, moderates=reader.sees_all) for row in rows[: page.limit]]
    return Items(items=shown, next=shown[-1].id if len(rows) > page.limit else None)


async def _rows(database: Database, query: LiteralString, reader: Reader, **values: Any) -> list[dict[str, Any]]:
    values |= {"reader": reader.id, "sees_all": reader.sees_all}
    async with database.connection() as connection:
        return await (await connection.execute(query, values)).fetchall()
