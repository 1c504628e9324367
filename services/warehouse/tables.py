"""What the warehouse keeps of each kind of event: a table a kind, its columns those of the contract."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin
from uuid import UUID

from services.contracts import EVENTS, CloudEvent, EventData, EventsStored, PredictionsLogged, SegmentStored
from services.spool.record import PredictionRecord, of_event

Row = dict[str, Any]
Columns = Mapping[str, str]
"""Name -> type, as DuckDB says it. Times are UTC, ids are text, what is nested is JSON."""

OWN: tuple[type[EventData], ...] = (SegmentStored, EventsStored)
"""What the warehouse says itself: to keep that would make it say it again."""

ENVELOPE: Columns = {
    "event_id": "VARCHAR",
    "event_time": "TIMESTAMP",
    "event_source": "VARCHAR",
    "cause_id": "VARCHAR",
    "request_id": "VARCHAR",
}
PLAIN: Mapping[Any, str] = {
    str: "VARCHAR",
    UUID: "VARCHAR",
    datetime: "TIMESTAMP",
    bool: "BOOLEAN",
    int: "BIGINT",
    float: "DOUBLE",
}
LISTS: Mapping[Any, str] = {str: "VARCHAR[]", UUID: "VARCHAR[]", float: "FLOAT[]"}


@dataclass(frozen=True)
class Table:
    """One kind of event as rows; most kinds are one row an event."""

    name: str
    kind: type[EventData]
    columns: Columns
    rows: Callable[[EventData, CloudEvent], Iterator[Row]]


def _column(annotation: Any) -> str:
    """The column's type; of what is nested, JSON."""
    if get_origin(annotation) in (Union, UnionType):
        given = [one for one in get_args(annotation) if one is not type(None)]
        return _column(given[0]) if len(given) == 1 else "JSON"
    if get_origin(annotation) is Literal:
        return "VARCHAR"
    if get_origin(annotation) is list:
        inner = get_args(annotation)[0]
        return LISTS.get(str if get_origin(inner) is Literal else inner, "JSON")
    return PLAIN.get(annotation, "JSON")


def utc(moment: datetime) -> str:
    """A time as the files have it."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")


def _envelope(event: CloudEvent) -> Row:
    return {
        "event_id": str(event.id),
        "event_time": utc(event.time),
        "event_source": event.source,
        "cause_id": str(event.causationid) if event.causationid else None,
        "request_id": event.requestid,
    }


def _one_row(data: EventData, event: CloudEvent) -> Iterator[Row]:
    yield _envelope(event) | data.model_dump(mode="json")


def _predictions(data: EventData, event: CloudEvent) -> Iterator[Row]:
    """A segment is as many rows as it has predictions. Raises ValueError for a record that is none."""
    assert isinstance(data, PredictionsLogged)
    envelope = _envelope(event) | {"segment_id": str(data.segment_id), "host": data.host}
    for entry in data.records:
        record = of_event(entry)
        answered_at = utc(datetime.fromtimestamp(record.at / 1e9, UTC))
        yield envelope | {"prediction_id": record.id, "answered_at": answered_at} | _told(record, entry)


RECORD: Columns = {
    "model": "VARCHAR",
    "version": "VARCHAR",
    "served_by": "VARCHAR",
    "reason": "VARCHAR",
    "experiment": "VARCHAR",
    "group": "VARCHAR",
    "shadow_of": "VARCHAR",
    "asked_with": "VARCHAR",
    "subject": "VARCHAR",
    "language": "VARCHAR",
    "client": "VARCHAR",
    "simulated": "BOOLEAN",
    "rows": "BIGINT",
    "ms": "DOUBLE",
    "inputs": "JSON",
    "outputs": "JSON",
}
"""Of `services/spool/record.py`; its `request_id` is `asked_with` here, because the segment's event has one too."""


def _told(record: PredictionRecord, entry: Row) -> Row:
    """The fields of the record, tensors as they came."""
    said = {name: getattr(record, name) for name in RECORD if name not in ("asked_with", "inputs", "outputs")}
    return said | {
        "asked_with": record.request_id,
        "inputs": entry.get("inputs", {}),
        "outputs": entry.get("outputs", {}),
    }


def table_name(kind: type[EventData]) -> str:
    """`item.registered` -> `item_registered`; a segment of the log is told by what is in it."""
    return "predictions" if kind is PredictionsLogged else kind.type.replace(".", "_").replace("-", "_")


def _table(kind: type[EventData]) -> Table:
    if kind is PredictionsLogged:
        more = {"segment_id": "VARCHAR", "host": "VARCHAR", "prediction_id": "VARCHAR", "answered_at": "TIMESTAMP"}
        return Table(table_name(kind), kind, {**ENVELOPE, **more, **RECORD}, _predictions)
    said = {name: _column(field.annotation) for name, field in kind.model_fields.items()}
    return Table(table_name(kind), kind, {**ENVELOPE, **said}, _one_row)


TABLES: Mapping[str, Table] = {kind.type: _table(kind) for kind in EVENTS if kind not in OWN}
"""By topic."""

BY_NAME: Mapping[str, Table] = {table.name: table for table in TABLES.values()}
"""By the table's name."""
