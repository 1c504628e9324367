"""Events as services send them, for tests of the warehouse."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from services.contracts import (
    Attributes,
    CloudEvent,
    EventData,
    Impression,
    ItemLiked,
    ItemScreened,
    Judgement,
    PredictionsLogged,
    SearchActed,
    SearchShown,
)

BEGAN = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
ITEMS = tuple(UUID(int=number) for number in range(1, 9))


def event(data: EventData, minutes: float = 0.0, source: str = "/test") -> CloudEvent:
    """The event, made so many minutes after the beginning."""
    moment = BEGAN + timedelta(minutes=minutes)
    wrapped = CloudEvent.of(data, source=source)
    update: dict[str, object] = {"time": moment}
    if isinstance(data, PredictionsLogged):
        update["id"] = data.segment_id
    return wrapped.model_copy(update=update)


def liked(number: int = 0, user: UUID | None = None, minutes: float = 0.0) -> CloudEvent:
    """Somebody likes an item."""
    data = ItemLiked(
        item_id=ITEMS[number % 8], revision=1, sequence=number, user_id=user or uuid4(), liked=True, likes=1
    )
    return event(data, minutes)


def shown(
    subject: UUID | None = None,
    group: str | None = "default",
    items: Sequence[UUID] = ITEMS[:3],
    minutes: float = 0.0,
    *,
    simulated: bool = False,
    attributes: Sequence[str] = (),
) -> CloudEvent:
    """A page of results."""
    impressions = [
        Impression(item_id=item, position=at, default_position=at, features={"likes": float(at)})
        for at, item in enumerate(items, 1)
    ]
    data = SearchShown(
        search_id=uuid4(),
        subject=subject,
        simulated=simulated,
        mode="text",
        query="猫",
        category="cat",
        attributes=list(attributes),
        experiment="ranking" if group else None,
        group=group,
        impressions=impressions,
        shown_at=BEGAN + timedelta(minutes=minutes),
    )
    return event(data, minutes, source="/search")


def screened(*, noticed: bool) -> CloudEvent:
    """An item was judged, and the detector noticed something or was away."""
    judged = Judgement(label="cat", score=0.9, margin=0.8, top=[])
    attributes = Attributes(objects=[], count=1, where=["centre"], brightness="dark") if noticed else None
    data = ItemScreened(
        item_id=uuid4(),
        revision=1,
        sequence=1,
        verdict="publish",
        reasons=[],
        category=judged,
        violation=judged,
        text_violation=judged,
        tags=[],
        embedding=[],
        embedding_version="1",
        attributes=attributes,
        models={},
        screened_at=BEGAN,
    )
    return event(data, source="/inference-async")


def clicked(page: CloudEvent, at: int = 1, minutes: float = 1.0) -> CloudEvent:
    """A result of the page is clicked."""
    said = SearchShown.model_validate(page.data)
    data = SearchActed(
        search_id=said.search_id,
        subject=said.subject,
        simulated=said.simulated,
        action="click",
        item_id=said.impressions[at - 1].item_id,
        position=at,
        group=said.group,
        acted_at=BEGAN + timedelta(minutes=minutes),
    )
    return event(data, minutes, source="/search")


def segment(predictions: int = 3, host: str = "inference-sync", model: str = "image_quick") -> CloudEvent:
    """A segment of the prediction log."""
    records = [
        {
            "id": str(uuid4()),
            "at": int((BEGAN + timedelta(seconds=number)).timestamp() * 1e9),
            "model": model,
            "version": "1",
            "served_by": "model",
            "ms": 1.5,
            "outputs": {"category": {"datatype": "FP32", "shape": [1, 2], "data": [0.1, 0.9]}},
        }
        for number in range(predictions)
    ]
    return event(PredictionsLogged(segment_id=uuid4(), host=host, records=records), source=f"/{host}")
