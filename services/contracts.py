"""What services say to each other: events, their topics, and which effect each of them waits for.

An event is a CloudEvents 1.0 JSON object. Its type is its topic. An event that must have an effect
stays in its sender's outbox until the effect has come back (`EFFECTS`), an event naming its cause.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.chassis.ids import new_id


class EventData(BaseModel):
    """The body of an event; `type` is the CloudEvents type and the topic."""

    model_config = ConfigDict(frozen=True, extra="ignore", protected_namespaces=())
    type: ClassVar[str]

    @property
    def key(self) -> str:
        """What events are ordered by: one partition a key."""
        raise TypeError(f"{type(self).__name__} has no key")


class ItemEvent(EventData):
    """Something that happened to an item."""

    item_id: UUID
    revision: int = Field(description="Counts what the owner wrote: 1 at registration, one more at each edit.")
    sequence: int = Field(description="Counts every change of the item; an older event than one seen is ignored.")

    @property
    def key(self) -> str:
        """All events of one item stay in order."""
        return str(self.item_id)


class Suggested(BaseModel):
    """One suggestion of the input assist that was on the form, and whether the owner took it."""

    field: Literal["category", "title", "tag"]
    value: str
    taken: bool
    model: str
    prediction_id: UUID | None = None


class ItemRegistered(ItemEvent):
    """An item waits to be judged: it is new, or its owner edited it."""

    type: ClassVar[str] = "item.registered"
    owner_id: UUID
    image_id: str
    title: str
    description: str
    category: str | None
    suggestions: list[Suggested] = []
    registered_at: datetime


class Score(BaseModel):
    """A label and how sure a model is of it, 0 to 1."""

    label: str
    score: float


class Judgement(BaseModel):
    """What one model says about an item: the best labels first, and the margin between the first two."""

    label: str
    score: float
    margin: float = 1.0
    sure: bool = Field(True, description="Whether the margin is wide enough to act on the label.")
    top: list[Score] = []


class ModelUsed(BaseModel):
    """Which model answered: a version of the registry, or the declared default."""

    model_config = ConfigDict(protected_namespaces=())
    version: str
    served_by: Literal["model", "default"]
    prediction_id: UUID


class Reason(BaseModel):
    """Why an item is not simply published: what kind of finding, by which model or moderator."""

    kind: Literal["picture", "text", "category", "denied", "default", "failed", "moderator"]
    label: str
    score: float | None = None
    by: str
    threshold: float | None = Field(None, description="What the score, or a category's margin, was held against.")
    margin: float | None = Field(None, description="How far a category is ahead of the other one, or behind it.")
    next_to: str | None = Field(None, description="The other category.")


Verdict = Literal["publish", "reject", "review"]
Where = Literal["top", "bottom", "left", "right", "centre"]


class Found(BaseModel):
    """One object in a picture: its box from the left upper corner, in parts of width and height, and the score."""

    left: float
    top: float
    right: float
    bottom: float
    score: float


class Attributes(BaseModel):
    """What a picture shows besides its category: how many, where, how bright, indoors or outdoors."""

    objects: list[Found] = Field(description="Best first.")
    count: int
    where: list[Where] = Field(description="Where the objects are; of a single one, where it is off the centre.")
    brightness: Literal["dark", "medium", "bright"]
    place: Literal["indoors", "outdoors"] | None = Field(None, description="Only where the model is sure.")


class ItemScreened(ItemEvent):
    """The models' judgement of one revision of an item."""

    type: ClassVar[str] = "item.screened"
    verdict: Verdict
    reasons: list[Reason]
    category: Judgement
    violation: Judgement
    text_violation: Judgement
    tags: list[str]
    embedding: list[float] = Field(description="128 numbers, L2-normalised; empty when a default answered.")
    embedding_version: str
    attributes: Attributes | None = None
    models: dict[str, ModelUsed]
    screened_at: datetime


class ItemPublished(ItemEvent):
    """An item may be seen by everybody: all that search needs to show and find it."""

    type: ClassVar[str] = "item.published"
    owner_id: UUID
    owner_name: str
    image_id: str
    title: str
    description: str
    category: str | None
    tags: list[str]
    embedding: list[float]
    embedding_version: str
    attributes: Attributes | None = None
    likes: int
    registered_at: datetime
    published_at: datetime


class ItemRemoved(ItemEvent):
    """An item may no longer be seen: withdrawn, rejected, or being judged again."""

    type: ClassVar[str] = "item.removed"
    image_id: str
    why: Literal["withdrawn", "rejected", "edited", "review"]


class ItemLiked(ItemEvent):
    """A user likes an item, or no longer does; `likes` is the count after it."""

    type: ClassVar[str] = "item.liked"
    user_id: UUID
    liked: bool
    likes: int


class ItemIndexed(ItemEvent):
    """Search has taken a change in: from now on it is (or no longer is) found."""

    type: ClassVar[str] = "item.indexed"
    searchable: bool
    indexed_at: datetime


class PictureShown(ItemEvent):
    """Images has taken a change in: from now on everybody sees the item's picture, or no longer."""

    type: ClassVar[str] = "picture.shown"
    visible: bool


class ItemRescored(ItemEvent):
    """The batch host looked at a published item again, and would not publish it now."""

    type: ClassVar[str] = "item.rescored"
    run_id: UUID
    verdict: Verdict
    reasons: list[Reason]
    models: dict[str, ModelUsed]
    rescored_at: datetime


class RescoringApplied(ItemEvent):
    """Items has taken a re-scoring in; whether it changed anything is the item's own affair."""

    type: ClassVar[str] = "item.rescoring-applied"
    doubted: bool = Field(description="Whether a moderator looks now.")


class ItemReviewed(ItemEvent):
    """A moderator's decision about one revision of an item: a label for the models that judged it."""

    type: ClassVar[str] = "item.reviewed"
    decision: Literal["publish", "reject", "undo"] = Field(description="`undo` takes a decision back.")
    decision_id: UUID = Field(description="Of an undo: the decision that it takes back.")
    reason: str
    label: str | None = Field(None, description="The violation the moderator names, or `other`; nothing if it is fine.")
    moderator_id: UUID
    image_id: str
    title: str
    description: str
    category: str | None
    reasons: list[Reason] = Field(description="Why a moderator looked.")
    models: dict[str, ModelUsed]
    reviewed_at: datetime


class SearchEvent(EventData):
    """Something about one page of results, by whom it was shown to."""

    search_id: UUID
    subject: UUID | None = Field(description="Who searched; nobody signed in: nothing.")
    simulated: bool = Field(False, description="A program that plays a user.")

    @property
    def key(self) -> str:
        """What happened to a page comes after the page."""
        return str(self.search_id)


class Impression(BaseModel):
    """One result as it was shown."""

    item_id: UUID
    position: int = Field(description="From 1, over all pages of the search.")
    default_position: int = Field(description="Where the order without a ranker has it.")
    score: float | None = Field(None, description="The ranker's.")
    features: dict[str, float] = Field({}, description="What the ranker was given, as it was at that moment.")


class SearchShown(SearchEvent):
    """A page of results was answered."""

    type: ClassVar[str] = "search.shown"
    mode: str
    query: str
    category: str | None
    attributes: list[str] = Field([], description="Names of what the query said that pictures should show: `count`.")
    experiment: str | None = None
    group: str | None = Field(None, description="Of the experiment: who ordered this page.")
    ranker: str = Field("default", description="The model that ordered the page, or `default`.")
    ranker_version: str | None = None
    relaxed: str | None = Field(None, description="How the search was widened because what was asked found too little.")
    impressions: list[Impression]
    shown_at: datetime


class SearchActed(SearchEvent):
    """Somebody did something with a result."""

    type: ClassVar[str] = "search.acted"
    action: Literal["click", "long_view"]
    item_id: UUID
    position: int
    seconds: float | None = Field(None, description="How long it was looked at, of a long view.")
    group: str | None = None
    acted_at: datetime


class SegmentStored(EventData):
    """The warehouse has a segment of the prediction log: its host need not keep it."""

    type: ClassVar[str] = "segment.stored"
    segment_id: UUID
    host: str
    records: int

    @property
    def key(self) -> str:
        """Segments need no order."""
        return str(self.segment_id)


class StoredEvent(BaseModel):
    """An event that the warehouse has: its own id, and that of the event it is the effect of."""

    id: UUID
    type: str
    cause: UUID | None = None


class EventsStored(EventData):
    """The warehouse has these events: where the broker may forget, their senders need not keep them any longer."""

    type: ClassVar[str] = "events.stored"
    batch_id: UUID
    events: list[StoredEvent]

    @property
    def key(self) -> str:
        """Batches need no order."""
        return str(self.batch_id)


class PredictionsLogged(EventData):
    """A sealed segment of the prediction log; the event has its id. One that was seen before holds nothing new."""

    type: ClassVar[str] = "predictions.logged"
    segment_id: UUID
    host: str = Field(description="The service that answered.")
    records: list[dict[str, Any]] = Field(description="As services/spool/record.py has them.")

    @property
    def key(self) -> str:
        """Segments need no order."""
        return str(self.segment_id)


class PredictionEvent(EventData):
    """Something about one prediction that some service asked for by an event."""

    prediction_id: UUID

    @property
    def key(self) -> str:
        """A prediction asked for twice is made in order."""
        return str(self.prediction_id)


class PredictionRequested(PredictionEvent):
    """A service wants a prediction, whoever is up at the moment: of a stored picture, or of a text."""

    type: ClassVar[str] = "prediction.requested"
    model: str
    image_id: str | None = Field(None, pattern="^[0-9a-f]{64}$")
    text: str | None = None


class PredictionMade(PredictionEvent):
    """The answer, to everybody who listens: `prediction` is what `predict` answers."""

    type: ClassVar[str] = "prediction.made"
    model: str
    prediction: dict[str, Any]


EVENTS: tuple[type[EventData], ...] = (
    ItemRegistered, ItemScreened, ItemPublished, ItemRemoved, ItemLiked, ItemIndexed, PictureShown,
    ItemRescored, RescoringApplied, ItemReviewed, SearchShown, SearchActed, PredictionsLogged, SegmentStored,
    EventsStored, PredictionRequested, PredictionMade,
)  # fmt: skip

EFFECTS: Mapping[type[EventData], tuple[type[EventData], ...]] = {
    ItemRegistered: (ItemScreened,),
    ItemPublished: (ItemIndexed, PictureShown),
    ItemRemoved: (ItemIndexed, PictureShown),
    ItemLiked: (ItemIndexed,),
    ItemRescored: (RescoringApplied,),
    PredictionRequested: (PredictionMade,),
}
"""Event -> the events that prove its effect, one a consumer. What is not listed is done once the broker has it."""


class CloudEvent(BaseModel):
    """The envelope: CloudEvents 1.0, structured JSON mode, with three extension attributes."""

    model_config = ConfigDict(frozen=True)
    specversion: Literal["1.0"] = "1.0"
    id: UUID = Field(default_factory=new_id)
    source: str
    type: str
    subject: str | None = None
    time: datetime = Field(default_factory=lambda: datetime.now(UTC))
    datacontenttype: Literal["application/json"] = "application/json"
    causationid: UUID | None = Field(None, description="The event this one is the effect of.")
    requestid: str | None = Field(None, description="x-request-id of the request it began with.")
    traceparent: str | None = None
    data: dict[str, Any]

    @classmethod
    def of(
        cls, data: EventData, *, source: str, cause: "CloudEvent | None" = None, requestid: str | None = None
    ) -> Self:
        """Wrap the body; an effect names its cause and inherits its request id."""
        return cls(
            source=source,
            type=data.type,
            subject=data.key,
            causationid=cause.id if cause else None,
            requestid=cause.requestid if cause else requestid,
            traceparent=cause.traceparent if cause else None,
            data=data.model_dump(mode="json"),
        )

    @property
    def key(self) -> str:
        """The partition key on the broker."""
        return self.subject or str(self.id)


DEAD_LETTER_REASON = "dead_letter_reason"
"""What is added to the data of an event that failed for good."""


def dead_letter_topic(topic: str) -> str:
    """Where events go that failed for good."""
    return f"{topic}.dead-letter"


def live_topics() -> list[str]:
    """Every topic that is worked off."""
    return [event.type for event in EVENTS]


def topics() -> list[str]:
    """Every topic there is, dead letters included."""
    return live_topics() + [dead_letter_topic(topic) for topic in live_topics()]


PICTURE_SIZES = ("original", "large", "thumbnail")


def picture_path(image_id: str, size: str = "original") -> str:
    """Where a picture lies in the file store, below its root: `images` writes, everybody else reads."""
    return f"pictures/{image_id[:2]}/{image_id}/{size}"
