"""Ids: UUIDv7, made by us, so that rows sort by age."""

from uuid import UUID

from uuid_utils import compat


def new_id() -> UUID:
    """A new UUIDv7."""
    return compat.uuid7()
