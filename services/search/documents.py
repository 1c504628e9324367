"""What search answers with."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from services.search.attributes import Name, Wanted
from services.search.cursors import Relaxed

Mode = Literal["newest", "category", "text", "similar", "for_you"]


class Document(BaseModel):
    """A published item as it is shown in lists."""

    item_id: UUID
    image_id: str
    title: str
    description: str
    category: str | None
    tags: list[str]
    owner_id: UUID
    owner_name: str
    likes: int
    published_at: datetime
    score: float | None = Field(None, description="How well it fits, comparable within one answer.")
    has: list[Name] = Field([], description="Of the attributes asked for, those that it has.")


class Results(BaseModel):
    """One page of what was found."""

    search_id: UUID = Field(description="Of the search; all its pages have it.")
    mode: Mode
    relaxed: Relaxed | None = Field(
        None,
        description="What was asked found too little: kinds widened to their category, words that mean nearly the same,"
        " the category they are near to, slips of the pen put right, any word instead of all, titles spelt alike, or"
        " whatever shows what was asked for.",
    )
    also: list[str] = Field([], description="Words that were looked for instead, or the query as it was put right.")
    degraded: bool = Field(False, description="A part of the platform was away; the answer is simpler than usual.")
    category: str | None = Field(None, description="The category asked for, or named by a word of the query.")
    attributes: Wanted | None = Field(
        None, description="What the pictures should show, as the query was understood; it ranks and leaves nothing out."
    )
    ranker: str = Field("default", description="The model that ordered the page, or `default`.")
    group: str | None = Field(None, description="The caller's group in the experiment with the ranker, if in one.")
    results: list[Document]
    closest: frozenset[UUID] = Field(
        frozenset(), exclude=True, description="Of a wider search, what was found before it was widened."
    )
    positions: list[int] = Field([], description="Where each stands, from 1 over all pages; `/events` asks for it.")
    next: str | None = None


class CategoryCount(BaseModel):
    """A category in both languages, and how many items can be found in it."""

    label: str
    en: str
    ja: str
    count: int
