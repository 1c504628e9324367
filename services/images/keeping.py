"""Keeps pictures: files first, then the row, so that a row always has its files."""

import asyncio
from dataclasses import dataclass
from uuid import UUID

from services.chassis.auth import Caller
from services.chassis.database import Database
from services.chassis.errors import NotFound
from services.chassis.files import FileStore
from services.contracts import PICTURE_SIZES, picture_path
from services.images.preparing import Prepared


@dataclass(frozen=True)
class Kept:
    """What is known of a stored picture."""

    id: str
    width: int
    height: int
    format: str
    size_bytes: int
    public: bool


async def keep(database: Database, files: FileStore, picture: Prepared, uploader: UUID) -> None:
    """Store the picture, once however often it comes, and remember who brought it."""
    async with database.connection() as connection:
        known = await connection.execute("SELECT FROM pictures WHERE id = %s", (picture.id,))
        if await known.fetchone() is None:
            await asyncio.gather(*(files.write(picture_path(picture.id, s), picture.files[s]) for s in PICTURE_SIZES))
        await connection.execute(
            """
            WITH picture AS (
                INSERT INTO pictures (id, width, height, format, size_bytes)
                VALUES (%(id)s, %(width)s, %(height)s, %(format)s, %(size_bytes)s) ON CONFLICT DO NOTHING
            )
            INSERT INTO uploads (picture_id, user_id) VALUES (%(id)s, %(uploader)s) ON CONFLICT DO NOTHING
            """,
            vars(picture) | {"size_bytes": picture.size_bytes, "uploader": uploader},
        )


async def seen(database: Database, picture_id: str, caller: Caller | None) -> Kept:
    """The picture; raises NotFound, also when it is not for the caller to see."""
    sees_all = bool(caller and caller.roles & {"moderator", "operator"})
    reader = caller.id if caller else None
    async with database.connection() as connection:
        found = await connection.execute(
            "SELECT * FROM visible_pictures(%s, %s) WHERE id = %s",
            (reader, sees_all, picture_id),
        )
        row = await found.fetchone()
    if row is None:
        raise NotFound("There is no such picture, or you may not see it.")
    return Kept(**row)
