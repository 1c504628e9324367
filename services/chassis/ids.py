"""Ids: UUIDv7, made by us, so that rows sort by age."""

from uuid import UUID

import orjson
from uuid_utils import compat


def new_id() -> UUID:
    """A new UUIDv7."""
    return compat.uuid7()


def as_text(id: UUID) -> str:
    """`str(id)`, in a sixth of its time."""
    return orjson.dumps(id)[1:-1].decode()
