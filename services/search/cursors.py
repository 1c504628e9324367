"""Where a page of results ended, as a word that the client hands back."""

import base64
import binascii
import zlib
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field, TypeAdapter, ValidationError

from services.chassis.errors import BadInput, Fault

MOST_RANKED = 500
"""So many matches are ranked: of a common word the newest."""

Relaxed = Literal["broader", "any", "spelling"]


class Newest(BaseModel):
    """After this item, newest first."""

    kind: Literal["newest"] = "newest"
    published_at: AwareDatetime
    item_id: UUID
    asked: int


class Ranked(BaseModel):
    """After so many of what matched, published until then: later pages do not shift."""

    kind: Literal["ranked"] = "ranked"
    offset: int = Field(ge=0, le=MOST_RANKED)
    until: AwareDatetime
    relaxed: Relaxed | None
    degraded: bool
    asked: int


Cursor = Newest | Ranked
_ANY: TypeAdapter[Cursor] = TypeAdapter(Annotated[Cursor, Field(discriminator="kind")])


def fingerprint(query: str, category: str | None) -> int:
    """A cursor belongs to its query."""
    return zlib.crc32(f"{category}\n{query}".encode())


def written(cursor: Cursor) -> str:
    """The cursor as one word."""
    return base64.urlsafe_b64encode(cursor.model_dump_json().encode()).decode().rstrip("=")


def read(word: str | None, asked: int) -> Cursor | None:
    """The cursor a client hands back; raises BadInput when it is none, or of another query."""
    if not word:
        return None
    try:
        cursor = _ANY.validate_json(base64.urlsafe_b64decode(word + "=" * (-len(word) % 4)))
    except (ValidationError, binascii.Error, ValueError) as error:
        raise _refused("is no cursor") from error
    if cursor.asked != asked:
        raise _refused("belongs to another query")
    return cursor


def of_row(published_at: datetime, item_id: UUID, asked: int) -> Newest:
    """The cursor after a row."""
    return Newest(published_at=published_at, item_id=item_id, asked=asked)


def _refused(what: str) -> BadInput:
    return BadInput(f"The cursor {what}.", Fault(where="query.cursor", what=what, allowed="`next` of the page before"))
