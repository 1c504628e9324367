"""Where a page of results ended, as a word that the client hands back. All pages of a search have its id."""

import base64
import binascii
import struct
import zlib
from collections.abc import Sequence
from datetime import datetime
from math import nan
from typing import Annotated, Literal, NamedTuple
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field, TypeAdapter, ValidationError, field_validator

from services.chassis.errors import BadInput, Fault
from services.search.attributes import Wanted

MOST_RANKED = 500
"""So many matches are ranked: of a common word the newest."""

ENTRY = struct.Struct(">16sBf")
"""An item in a window, in 21 bytes: its id, its place by default, and how well it fits the words."""

Relaxed = Literal["broader", "similar", "category", "respelt", "any", "spelling", "attributes"]


class Newest(BaseModel):
    """After this item, newest first."""

    kind: Literal["newest"] = "newest"
    search_id: UUID
    published_at: AwareDatetime
    item_id: UUID
    asked: int
    offset: int = Field(0, ge=0, description="So many were on the pages before.")


class Ranked(BaseModel):
    """After so many of what matched, published until then: later pages do not shift."""

    kind: Literal["ranked"] = "ranked"
    search_id: UUID
    offset: int = Field(ge=0, le=MOST_RANKED)
    until: AwareDatetime
    relaxed: Relaxed | None
    degraded: bool
    attributes: Wanted | None = None
    asked: int


class Reordered(BaseModel):
    """The rest of a window that a model ordered, as it ordered it: items that came since do not move what is to come.

    `rest` has an entry for each; `after` goes on behind the window.
    """

    kind: Literal["reordered"] = "reordered"
    search_id: UUID
    rest: str
    offset: int = Field(ge=1, description="So many were on the pages before.")
    ranker: str
    ranker_version: str | None
    relaxed: Relaxed | None
    category: str | None
    attributes: Wanted | None = None
    after: str | None
    asked: int

    @field_validator("rest")
    @classmethod
    def _whole(cls, rest: str) -> str:
        if not rest or len(base64.urlsafe_b64decode(rest)) % ENTRY.size:
            raise ValueError("is cut short")
        return rest

    def entries(self) -> list["Entry"]:
        """The items to come."""
        found = ENTRY.iter_unpack(base64.urlsafe_b64decode(self.rest))
        return [Entry(UUID(bytes=item), place, fit if fit == fit else None) for item, place, fit in found]


class Entry(NamedTuple):
    """An item of a window."""

    item_id: UUID
    place: int
    fit: float | None


def packed(entries: Sequence[Entry]) -> str:
    """`rest` of a cursor; an item that was not found by words has no fit."""
    rows = (ENTRY.pack(one.item_id.bytes, one.place, nan if one.fit is None else one.fit) for one in entries)
    return base64.urlsafe_b64encode(b"".join(rows)).decode()


Cursor = Newest | Ranked | Reordered
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


def of_row(search_id: UUID, published_at: datetime, item_id: UUID, asked: int, offset: int) -> Newest:
    """The cursor after a row, behind so many."""
    return Newest(search_id=search_id, published_at=published_at, item_id=item_id, asked=asked, offset=offset)


def _refused(what: str) -> BadInput:
    return BadInput(f"The cursor {what}.", Fault(where="query.cursor", what=what, allowed="`next` of the page before"))
