"""What people send in: held against the rules before anything is stored."""

import unicodedata
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from models.labels import CATEGORIES, PICTURE_VIOLATIONS, TEXT_VIOLATIONS, names

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
UUID_PATTERN = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
TITLE_LENGTH = 120
DESCRIPTION_LENGTH = 2000
REASON_LENGTH = 500
MOST_SUGGESTIONS = 40
VIOLATIONS = [*names(PICTURE_VIOLATIONS)[1:], *names(TEXT_VIOLATIONS)[1:], "other"]
"""What a moderator may name: what the models know, and whatever else breaks a rule."""


def clean(text: str, *, longest: int, kept: str = "") -> str:
    """The text trimmed, its line ends made one kind; raises when it holds what cannot be shown or is too long."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    for character in text:
        if character not in kept and unicodedata.category(character) in ("Cc", "Cs"):
            what = f"holds the control character U+{ord(character):04X}"
            raise PydanticCustomError("characters", what, {"characters": "any but control characters"})
    if len(text) > longest:
        what = f"is {len(text)} characters long"
        raise PydanticCustomError("length", what, {"characters": f"at most {longest}"})
    return text


def _title(text: str) -> str:
    text = clean(text, longest=TITLE_LENGTH)
    if not any(unicodedata.category(character)[0] not in "CZ" for character in text):
        raise PydanticCustomError("empty", "is empty", {"characters": f"1 to {TITLE_LENGTH}"})
    return text


def _description(text: str) -> str:
    return clean(text, longest=DESCRIPTION_LENGTH, kept="\n\t")


def _reason(text: str) -> str:
    return clean(text, longest=REASON_LENGTH, kept="\n\t")


def _whole(value: Any) -> Any:
    """Half a surrogate pair cannot be stored, nor even be quoted in an error."""
    if isinstance(value, str) and any(unicodedata.category(character) == "Cs" for character in value):
        raise PydanticCustomError("characters", "holds half a surrogate pair", {"characters": "whole ones"})
    return value


def _category(name: str) -> str:
    if name not in names(CATEGORIES):
        raise PydanticCustomError("category", "is no category", {"one of": " ".join(names(CATEGORIES))})
    return name


def _violation(name: str) -> str:
    if name not in VIOLATIONS:
        raise PydanticCustomError("violation", "is no violation", {"one of": " ".join(VIOLATIONS)})
    return name


Title = Annotated[str, BeforeValidator(_whole), AfterValidator(_title)]
Description = Annotated[str, BeforeValidator(_whole), AfterValidator(_description)]
Suggestion = Annotated[str, BeforeValidator(_whole), AfterValidator(_title)]
Reason = Annotated[str, BeforeValidator(_whole), AfterValidator(_reason)]
Category = Annotated[
    str,
    BeforeValidator(_whole),
    AfterValidator(_category),
    Field(json_schema_extra={"enum": names(CATEGORIES)}),
]
Violation = Annotated[
    str, BeforeValidator(_whole), AfterValidator(_violation), Field(json_schema_extra={"enum": VIOLATIONS})
]
ImageId = Annotated[str, BeforeValidator(_whole), Field(pattern="^[0-9a-f]{64}$")]


class Entry(BaseModel):
    """Something a person sends: unknown fields are refused, not dropped."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Offered(Entry):
    """One suggestion that was on the form; whether it was taken is told by what is registered."""

    model_config = ConfigDict(protected_namespaces=())
    field: Literal["category", "title", "tag"]
    value: Suggestion = Field(description=f"1 to {TITLE_LENGTH} characters.")
    model: str = Field(pattern="^[a-z0-9_]{1,64}$", description="Whose it was.")
    prediction_id: UUID | None = None


class Registration(Entry):
    """A new item."""

    image_id: ImageId = Field(description="Id of an uploaded picture.")
    title: Title = Field(description=f"1 to {TITLE_LENGTH} characters.")
    description: Description = Field("", description=f"At most {DESCRIPTION_LENGTH} characters.")
    category: Category | None = Field(None, description="What the owner says it is; otherwise the models decide.")
    suggestions: list[Offered] = Field(
        [], max_length=MOST_SUGGESTIONS, description="What was suggested for the fields, taken or not."
    )


class Edit(Entry):
    """What an owner changes; what is not named stays."""

    title: Title = ""
    description: Description = ""
    category: Category | None = None

    def changes(self) -> dict[str, Any]:
        """The fields that were sent."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class Decision(Entry):
    """What a moderator decides."""

    decision: Literal["publish", "reject"]
    label: Violation | None = Field(None, description="Which violation it is, of what is rejected: models learn it.")
    reason: Reason = Field("", description="Needed to reject when there is no `label`; the owner reads it.")
    show_labels: bool = Field(False, description="Publish it with the labels of the deny list that models gave it.")
    revision: int | None = Field(None, description="The revision the moderator saw; another one is refused.")
    sequence: int | None = Field(None, description="The `sequence` the moderator saw; another one is refused.")


class QueuePage(BaseModel):
    """Which part of the queue. Its cursor is a place in time: it stays one when the item there is decided."""

    limit: int = Field(20, ge=1, le=100)
    cursor: Annotated[str, Field(pattern=f"^[0-9]{{1,17}}_{UUID_PATTERN}$")] | None = Field(
        None, description="`next` of the page before."
    )

    @property
    def after(self) -> tuple[datetime, UUID] | None:
        """The place."""
        if self.cursor is None:
            return None
        microseconds, _, item_id = self.cursor.partition("_")
        return EPOCH + timedelta(microseconds=int(microseconds)), UUID(item_id)

    @staticmethod
    def behind(moment: datetime, item_id: UUID) -> str:
        """The cursor of what comes after."""
        return f"{(moment - EPOCH) // timedelta(microseconds=1)}_{item_id}"


class Page(BaseModel):
    """Which part of a list."""

    limit: int = Field(20, ge=1, le=100)
    cursor: UUID | None = Field(None, description="`next` of the page before.")
