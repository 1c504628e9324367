"""Whatever happens in whatever order: no answer ever holds an item that is not published."""

import random
from typing import Any
from uuid import UUID

import pytest

from services.chassis.ids import new_id
from services.contracts import ItemEvent, ItemLiked, ItemPublished, ItemRemoved
from tests.services.search.library import Library, direction

ASKED: list[tuple[str, dict[str, Any]]] = [
    ("/api/search", {}),
    ("/api/search", {"category": "cat"}),
    ("/api/search", {"q": "cat"}),
    ("/api/search", {"q": "kitten"}),
    ("/api/search", {"q": "secret violin"}),
    ("/api/search", {"q": "secert"}),
    ("/api/search", {"q": "cat", "category": "cat"}),
]


def history(library: Library, item_id: UUID, dice: random.Random) -> list[ItemEvent]:
    """What happens to one item: published, liked, removed, published again."""
    events: list[ItemEvent] = []
    for sequence in range(2, 2 + dice.randint(1, 6)):
        common = {"item_id": item_id, "revision": 1, "sequence": sequence}
        kind = dice.choice(["published", "published", "removed", "liked"])
        if kind == "published":
            seen = {"category": "cat", "embedding": direction(1, dice.random()), "embedding_version": "1"}
            events.append(library.item("secret cat", **common, **seen))
        elif kind == "removed":
            events.append(ItemRemoved(**common, image_id="a" * 64, why="withdrawn"))
        else:
            events.append(ItemLiked(**common, user_id=item_id, liked=True, likes=sequence))
    return events


def is_published(events: list[ItemEvent]) -> bool:
    """Whether the last word on an item is that it is published."""
    told = [event for event in events if not isinstance(event, ItemLiked)]
    return bool(told) and isinstance(max(told, key=lambda event: event.sequence), ItemPublished)


async def everything_shown(library: Library, published: set[UUID]) -> set[UUID]:
    """Every item in any answer; what is not published is not even like anything."""
    asked = [*ASKED, *(("/api/search/similar", {"item_id": str(item_id)}) for item_id in published)]
    shown: set[UUID] = set()
    for path, parameters in asked:
        answer = await library.http.get(path, params=parameters | {"limit": 60})
        assert answer.status_code == 200
        shown |= {UUID(document["item_id"]) for document in answer.json()["results"]}
    return shown


@pytest.mark.parametrize("seed", range(5))
async def test_only_published_items_are_ever_shown(library: Library, seed: int) -> None:
    dice = random.Random(seed)
    histories = {item_id: history(library, item_id, dice) for item_id in (new_id() for _ in range(20))}
    published = {item_id for item_id, events in histories.items() if is_published(events)}
    everything = [event for events in histories.values() for event in (*events, *dice.sample(events, len(events) // 2))]
    dice.shuffle(everything)
    for event in everything:
        await library.hear(event)
    assert await everything_shown(library, published) == published
    for hidden in histories.keys() - published:
        answer = await library.http.get("/api/search/similar", params={"item_id": str(hidden)})
        assert answer.status_code == 404
    counts = (await library.http.get("/api/search/categories")).json()
    assert sum(row["count"] for row in counts) == len(published)
