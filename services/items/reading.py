"""Everything that shows items reads here, through `visible_items`: the one place that says who sees what."""

from dataclasses import dataclass
from typing import Any, LiteralString
from uuid import UUID

from services.chassis.auth import Caller
from services.chassis.database import Database
from services.chassis.errors import NotFound
from services.items.entries import Page
from services.items.life import State
from services.items.shown import Item, Items


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


async def one(database: Database, item_id: UUID, reader: Reader) -> Item:
    """An item; raises NotFound, also when it is not for the reader to see."""
    rows = await _rows(database, _SHOWN + "WHERE item.id = %(item)s", reader, item=item_id)
    if not rows:
        raise NotFound("There is no such item, or you may not see it.")
    return Item.of(rows[0])


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


async def review_queue(database: Database, moderator: Reader, page: Page) -> Items:
    """What waits for a moderator, oldest first."""
    return await _page(
        database,
        """WHERE item.state = 'needs_review'
           AND (%(cursor)s::uuid IS NULL OR item.id > %(cursor)s)
           ORDER BY item.id LIMIT %(limit)s""",
        moderator,
        page,
    )


async def _page(database: Database, where: LiteralString, reader: Reader, page: Page, **values: Any) -> Items:
    """One more row than asked for is read: it says that there is a next page."""
    rows = await _rows(database, _SHOWN + where, reader, cursor=page.cursor, limit=page.limit + 1, **values)
    shown = [Item.of(row) for row in rows[: page.limit]]
    return Items(items=shown, next=shown[-1].id if len(rows) > page.limit else None)


async def _rows(database: Database, query: LiteralString, reader: Reader, **values: Any) -> list[dict[str, Any]]:
    values |= {"reader": reader.id, "sees_all": reader.sees_all}
    async with database.connection() as connection:
        return await (await connection.execute(query, values)).fetchall()
