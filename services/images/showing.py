"""Which published items show a picture: as long as there is one, everybody may see it."""

from services.chassis.database import Database
from services.contracts import ItemPublished, ItemRemoved, PictureShown


async def take_in(database: Database, data: ItemPublished | ItemRemoved) -> PictureShown:
    """Take in what happened to an item; an older event than the last one changes nothing. Returns the effect."""
    visible = isinstance(data, ItemPublished)
    async with database.connection() as connection:
        await connection.execute(
            """
            INSERT INTO shown (item_id, picture_id, sequence, visible) VALUES (%s, %s, %s, %s)
            ON CONFLICT (item_id) DO UPDATE
            SET picture_id = excluded.picture_id, sequence = excluded.sequence, visible = excluded.visible
            WHERE shown.sequence < excluded.sequence
            """,
            (data.item_id, data.image_id, data.sequence, visible),
        )
    return PictureShown(item_id=data.item_id, revision=data.revision, sequence=data.sequence, visible=visible)
