"""Looks after items that would wait for ever: what was lost is asked again, what nobody can judge goes to a person."""

import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, LiteralString
from uuid import UUID

from services.chassis.database import Connection, Database
from services.items.judging import fail
from services.items.life import Act, State
from services.items.moves import move
from services.items.stored import Stored, locked, transaction

log = logging.getLogger(__name__)

FORGOTTEN_AFTER = timedelta(seconds=10)
MOST_SENDINGS = 10
OVERTAKEN_FOR = timedelta(minutes=1)
KEYS_KEPT = timedelta(days=1)
BATCH = 100


async def sweep(database: Database) -> int:
    """One turn; returns how many items were moved on."""
    forgotten = await _each(database, await _forgotten(database), _ask_again)
    stuck = await _each(database, await _stuck(database), _hand_over)
    async with database.connection() as connection:
        await connection.execute("DELETE FROM registrations WHERE created_at < now() - %s", (KEYS_KEPT,))
    return forgotten + stuck


async def _forgotten(database: Database) -> list[UUID]:
    """Items that wait for a judgement although nothing in the outbox asks for one."""
    return await _ids(
        database,
        """
        SELECT item.id FROM items AS item
        WHERE item.state = 'screening' AND item.submitted_at < now() - %(after)s
        AND NOT EXISTS (
            SELECT FROM outbox WHERE outbox.event ->> 'subject' = item.id::text AND outbox.type = 'item.registered'
        )
        LIMIT %(batch)s
        """,
        after=FORGOTTEN_AFTER,
    )


async def _stuck(database: Database) -> list[UUID]:
    """Items sent again and again while later ones were judged long ago: it is the item, not the weather."""
    return await _ids(
        database,
        """
        SELECT item.id FROM outbox JOIN items AS item ON item.id = (outbox.event ->> 'subject')::uuid
        WHERE outbox.type = 'item.registered' AND outbox.attempts > %(most)s AND item.state = 'screening'
        AND EXISTS (
            SELECT FROM screenings
            WHERE screenings.cause_id > outbox.id AND screenings.stored_at < now() - %(overtaken)s
        )
        LIMIT %(batch)s
        """,
        most=MOST_SENDINGS,
        overtaken=OVERTAKEN_FOR,
    )


async def _ids(database: Database, query: LiteralString, **values: Any) -> list[UUID]:
    async with database.connection() as connection:
        rows = await (await connection.execute(query, values | {"batch": BATCH})).fetchall()
    return [row["id"] for row in rows]


async def _each(database: Database, ids: list[UUID], act: Callable[[Connection, Stored], Awaitable[None]]) -> int:
    for item_id in ids:
        async with transaction(database) as connection:
            item = await locked(connection, item_id)
            if item is not None and item.state is State.SCREENING:
                await act(connection, item)
    return len(ids)


async def _ask_again(connection: Connection, item: Stored) -> None:
    log.warning("asked again", extra={"action": "item.asked_again", "item_id": item.id})
    await move(connection, item, Act.RESCREEN)


async def _hand_over(connection: Connection, item: Stored) -> None:
    await connection.execute(
        "DELETE FROM outbox WHERE type = 'item.registered' AND event ->> 'subject' = %s", (str(item.id),)
    )
    await fail(connection, item, by="sweep")
