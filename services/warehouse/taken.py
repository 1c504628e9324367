"""An event as it was taken from the broker, and the lines it becomes in a file."""

from dataclasses import dataclass

import orjson

from services.chassis.bus import Message
from services.contracts import CloudEvent
from services.warehouse.tables import Table


@dataclass(frozen=True)
class Taken:
    """What is kept of an event until it is stored; its body is in the lines, and nowhere else a second time."""

    message: Message
    event: CloudEvent
    """Without its data."""
    table: Table
    lines: bytes
    rows: int


def taken_of(message: Message, event: CloudEvent, table: Table) -> Taken:
    """Check the body and put its rows down; raises ValueError."""
    rows = list(table.rows(table.kind.model_validate(event.data), event))
    lines = b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)
    return Taken(message, event.model_copy(update={"data": {}}), table, lines, len(rows))
