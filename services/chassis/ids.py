"""Ids: UUIDv7, made by us, so that rows sort by age."""

from uuid import UUID, SafeUUID

import orjson
import uuid_utils

_make, _set, _UNKNOWN = UUID.__new__, object.__setattr__, SafeUUID.unknown


def new_id() -> UUID:
    """A new UUIDv7; `UUID()` would look at it once more, which takes longer than making it."""
    made = _make(UUID)
    _set(made, "int", uuid_utils.uuid7().int)
    _set(made, "is_safe", _UNKNOWN)
    return made


def as_text(id: UUID) -> str:
    """`str(id)`, in a sixth of its time."""
    return orjson.dumps(id)[1:-1].decode()
