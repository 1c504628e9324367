"""What people get to see of an item."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.contracts import Attributes, Judgement, ModelUsed, Reason
from services.items import life, withholding
from services.items.life import State
from services.items.stored import Stored


class Screening(BaseModel):
    """What the models said about this revision."""

    model_config = ConfigDict(extra="ignore")
    category: Judgement
    violation: Judgement
    text_violation: Judgement
    tags: list[str]
    attributes: Attributes | None = None
    models: dict[str, ModelUsed]


class Item(BaseModel):
    """An item, as the one who asks may see it."""

    id: UUID
    revision: int
    sequence: int
    owner_id: UUID
    owner_name: str
    image_id: str
    title: str
    description: str
    category: str | None
    state: State
    reasons: list[Reason]
    screening: Screening | None
    withheld: list[str] = Field([], description="Labels of the deny list, for moderators alone.")
    likes: int
    liked: bool
    registered_at: datetime
    decided_at: datetime | None
    searchable_at: datetime | None

    @classmethod
    def of(cls, row: dict[str, Any], *, moderates: bool = False) -> "Item":
        """Of a row as `reading` gives it. What is withheld, only moderators see."""
        item = cls.model_validate(row)
        return item if moderates or not item.withheld else item.without_withheld()

    def without_withheld(self) -> "Item":
        """As everybody else sees it."""
        left = withholding.shown(self.screening.model_dump(), self.withheld) if self.screening else None
        return self.model_copy(
            update={
                "screening": Screening.model_validate(left) if left else None,
                "reasons": withholding.reasons(self.reasons, self.withheld),
                "withheld": [],
            }
        )

    @classmethod
    def new(cls, stored: Stored) -> "Item":
        """As its owner sees it right after registering it."""
        return cls.of(stored.model_dump() | {"screening": None, "liked": False})

    @property
    def final(self) -> bool:
        """Whether nothing more happens unless somebody acts."""
        return life.final(self.state, searchable=self.searchable_at is not None)


class Items(BaseModel):
    """A page of items; `next` is the cursor of the page after, if there is one."""

    items: list[Item]
    next: UUID | None


class Queue(BaseModel):
    """A page of what waits for a moderator, and how much that is."""

    items: list[Item]
    next: str | None
    waiting: int
    oldest_at: datetime | None = Field(description="Since when the first of them waits.")


class DecisionMade(BaseModel):
    """What a moderator has decided."""

    id: UUID
    item_id: UUID
    image_id: str
    title: str
    decision: Literal["publish", "reject"]
    label: str | None
    reason: str
    moderator_name: str
    decided_at: datetime
    undone_at: datetime | None
    undone_by: str | None
    undoable: bool = Field(description="Whether it can be taken back: nothing has happened to the item since.")


class Decisions(BaseModel):
    """Decisions, newest first; `next` is the cursor of the page after, if there is one."""

    decisions: list[DecisionMade]
    next: UUID | None


class Likes(BaseModel):
    """How many like an item, and whether you do."""

    likes: int
    liked: bool


class Seconds(BaseModel):
    """How long it took, half and 95 % of the time."""

    count: int
    p50: float | None
    p95: float | None


class SearchableSeconds(Seconds):
    """Registered -> searchable of items the models published by themselves, in the last `window` seconds and ever."""

    window: int
    overall: Seconds


class Statistics(BaseModel):
    """How many items are in which state, and how fast they become searchable."""

    states: dict[State, int]
    searchable_seconds: SearchableSeconds
