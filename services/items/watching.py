"""Items that somebody watches."""

from services.chassis.changes import Changes
from services.chassis.database import Database


def watched_items(database: Database) -> Changes:
    """What tells of a change of an item."""
    return Changes(database, table="items", version="sequence", channel="items_changed")
