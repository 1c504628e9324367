"""What a run may know: what was known when its window ended, however late it runs."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.chassis.database import Database
from services.chassis.ids import new_id
from services.contracts import CloudEvent, ItemEvent, ItemLiked, ItemPublished, ItemRemoved, ItemScreened
from services.inference_batch import facts

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
Tell = Callable[[ItemEvent, datetime], Awaitable[None]]


@pytest.fixture
async def batch(database: Callable[[str], Awaitable[Database]]) -> Database:
    return await database("inference_batch")


@pytest.fixture
def tell(batch: Database) -> Tell:
    """An event that happened before noon and reached the table at the given time."""

    async def told(data: ItemEvent, known_at: datetime) -> None:
        event = CloudEvent.of(data, source="/items").model_copy(update={"time": NOON - 30 * MINUTE})
        await facts.remember(batch, [(data, event)])
        async with batch.connection() as connection:
            await connection.execute("UPDATE facts SET known_at = %s WHERE event_id = %s", (known_at, event.id))

    return told


def published(item: UUID, sequence: int = 2, **changes: Any) -> ItemPublished:
    values: dict[str, Any] = {
        "item_id": item,
        "revision": 1,
        "sequence": sequence,
        "owner_id": new_id(),
        "owner_name": "somebody",
        "image_id": "0" * 64,
        "title": "title",
        "description": "",
        "category": "animal",
        "tags": [],
        "embedding": [0.5] * 128,
        "embedding_version": "1",
        "likes": 0,
        "registered_at": NOON,
        "published_at": NOON,
    }
    return ItemPublished(**(values | changes))


def screened(item: UUID, version: str, sequence: int = 1) -> ItemScreened:
    judgement: dict[str, Any] = {"label": "ok", "score": 1.0}
    used = {"version": version, "served_by": "model", "prediction_id": str(new_id())}
    return ItemScreened.model_validate(
        {
            "item_id": item,
            "revision": 1,
            "sequence": sequence,
            "verdict": "publish",
            "reasons": [],
            "category": judgement,
            "violation": judgement,
            "text_violation": judgement,
            "tags": [],
            "embedding": [],
            "embedding_version": "1",
            "models": {"image_screening": used},
            "screened_at": NOON,
        }
    )


async def known(batch: Database, moment: datetime) -> list[facts.Known]:
    async with batch.connection() as connection:
        found = await facts.published(connection, moment)
        assert len(found) == await facts.count_published(connection, moment)
    return found


async def test_what_arrived_after_the_window_is_not_known(batch: Database, tell: Tell) -> None:
    """It happened before the window ended, but nobody knew it then: a run made later must not know it either."""
    await tell(published(new_id()), NOON + MINUTE)
    assert await known(batch, NOON) == []
    assert len(await known(batch, NOON + 2 * MINUTE)) == 1


async def test_an_edit_after_the_window_changes_nothing_for_it(batch: Database, tell: Tell) -> None:
    item = new_id()
    await tell(published(item, 2, title="before"), NOON - MINUTE)
    await tell(published(item, 5, title="after"), NOON + MINUTE)
    assert [seen.title for seen in await known(batch, NOON)] == ["before"]
    assert [seen.title for seen in await known(batch, NOON + 2 * MINUTE)] == ["after"]


async def test_a_removal_after_the_window_changes_nothing_for_it(batch: Database, tell: Tell) -> None:
    item = new_id()
    await tell(published(item, 2), NOON - MINUTE)
    gone = ItemRemoved(item_id=item, revision=1, sequence=3, image_id="0" * 64, why="withdrawn")
    await tell(gone, NOON + MINUTE)
    assert len(await known(batch, NOON)) == 1
    assert await known(batch, NOON + 2 * MINUTE) == []


async def test_likes_and_versions_are_those_of_the_moment(batch: Database, tell: Tell) -> None:
    item, user = new_id(), new_id()
    await tell(screened(item, "7"), NOON - 3 * MINUTE)
    await tell(published(item, 2, likes=0), NOON - 2 * MINUTE)
    for likes, sequence, at in ((1, 3, NOON - MINUTE), (9, 4, NOON + MINUTE)):
        liked = ItemLiked(item_id=item, revision=1, sequence=sequence, user_id=user, liked=True, likes=likes)
        await tell(liked, at)
    await tell(screened(item, "8", sequence=5), NOON + MINUTE)
    (seen,) = await known(batch, NOON)
    assert (seen.likes, seen.models) == (1, {"image_screening": "7"})
    (later,) = await known(batch, NOON + 2 * MINUTE)
    assert (later.likes, later.models) == (9, {"image_screening": "8"})


async def test_events_out_of_order_and_twice_are_put_in_order(batch: Database, tell: Tell) -> None:
    item = new_id()
    newer, older = published(item, 6, title="newer"), published(item, 2, title="older")
    for data in (newer, older, newer):
        await tell(data, NOON - MINUTE)
    assert [seen.title for seen in await known(batch, NOON)] == ["newer"]


async def test_pages_follow_each_other_without_gaps(batch: Database, tell: Tell) -> None:
    items = sorted([new_id() for _ in range(7)])
    for item in items:
        await tell(published(item), NOON - MINUTE)
    async with batch.connection() as connection:
        first = await facts.published(connection, NOON, limit=3)
        second = await facts.published(connection, NOON, first[-1].item_id, 10)
    assert [seen.item_id for seen in first + second] == items
