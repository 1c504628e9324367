"""Likes: one a user and item; the count stands in the item's row and changes with them."""

from uuid import UUID

from services.chassis.auth import Caller
from services.chassis.database import Connection, Database
from services.chassis.errors import NotFound
from services.contracts import ItemLiked
from services.items.life import State
from services.items.moves import send
from services.items.shown import Likes
from services.items.stored import Stored, locked, save, transaction


async def like(database: Database, item_id: UUID, caller: Caller, liked: bool) -> Likes:
    """Like an item, or no longer; saying it twice changes nothing. Only what is published can be liked."""
    async with transaction(database) as connection:
        item = await locked(connection, item_id)
        if item is None or item.state is not State.PUBLISHED:
            raise NotFound("There is no such published item.")
        if await _written(connection, item_id, caller.id, liked):
            item = item.changed(likes=item.likes + (1 if liked else -1))
            await save(connection, item)
            await send(connection, _told(item, caller, liked))
    return Likes(likes=item.likes, liked=liked)


async def _written(connection: Connection, item_id: UUID, user_id: UUID, liked: bool) -> bool:
    statement = (
        "INSERT INTO likes (item_id, user_id) VALUES (%s, %s) ON CONFLICT DO NOTHING"
        if liked
        else "DELETE FROM likes WHERE item_id = %s AND user_id = %s"
    )
    return (await connection.execute(statement, (item_id, user_id))).rowcount > 0


def _told(item: Stored, caller: Caller, liked: bool) -> ItemLiked:
    return ItemLiked(
        item_id=item.id,
        revision=item.revision,
        sequence=item.sequence,
        user_id=caller.id,
        liked=liked,
        likes=item.likes,
    )
