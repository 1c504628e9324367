"""Takes from the outbox what has had its effect."""

from services.chassis import outbox
from services.chassis.database import Database
from services.contracts import CloudEvent


async def settled(database: Database, effect: CloudEvent) -> None:
    """An effect came back."""
    async with database.connection() as connection:
        await outbox.settle(connection, effect)
