"""A label of the deny list is shown to nobody by itself; this tries to get one shown on every road of items."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from services.chassis.ids import new_id
from services.contracts import ItemRescored, Judgement, ModelUsed, Reason, Score
from tests.services.items.stage import Stage

WORDS = ("gorilla", "ゴリラ", "Gorillas", "monkey")
TALK = Judgement(
    label="human", score=0.7, margin=0.4, top=[Score(label="human", score=0.7), Score(label="gorilla", score=0.3)]
)
SAID = Judgement(label="gorilla", score=0.9, margin=0.8, top=[Score(label="gorilla", score=0.9)])
DENIED = Reason(kind="denied", label="gorilla", score=0.3, by="image_screening", next_to="human")
SURE: dict[str, Any] = {"category": SAID, "tags": ["gorilla", "ゴリラ"]}
WAYS: dict[str, dict[str, Any]] = {
    "as the category": {"category": SAID},
    "as the second best of the talk's picture": {"category": TALK},
    "as a tag": {"tags": ["cat", "ゴリラ"]},
    "as a tag written otherwise": {"tags": ["Gorillas", "cat"]},
    "as the category without a top": {"category": Judgement(label="gorilla", score=0.9)},
    "in all of them": SURE | {"reasons": [DENIED]},
}


async def everything(stage: Stage, item: dict[str, Any]) -> str:
    """All that somebody who is no moderator, and every other service, gets to read of it."""
    owner, stranger = stage.owner.header, stage.stranger.header
    roads = [f"/api/items/{item['id']}", "/api/items/mine", "/api/items/review", "/api/items/decisions"]
    read = [(await stage.http.get(road, headers=by)).text for road in roads for by in (owner, stranger, {})]
    for topic in ("item.published", "item.removed", "item.liked"):
        read += [event.model_dump_json() for event in await stage.sent(topic)]
    return "\n".join(read)


def shown(text: str) -> list[str]:
    """The denied words in it."""
    return [word for word in WORDS if word.casefold() in text.casefold()]


@pytest.mark.parametrize("way", WAYS)
async def test_whatever_the_models_say_a_moderator_looks_first(stage: Stage, way: str) -> None:
    item = await stage.registered()
    await stage.judge(item, "publish", **WAYS[way])
    seen = await stage.get(item)
    assert seen["state"] == "needs_review"
    assert [reason["kind"] for reason in seen["reasons"]][-1:] == ["denied"]
    assert shown(await everything(stage, item)) == []
    moderators = await stage.get(item, by=stage.moderator)
    assert shown(str(moderators["screening"])), "a moderator sees what it is about"
    assert moderators["withheld"]
    decision = {"decision": "publish", "sequence": moderators["sequence"]}
    answer = await stage.http.post(f"/api/items/{item['id']}/review", json=decision, headers=stage.moderator.header)
    assert answer.status_code == 200
    (published,) = await stage.sent("item.published")
    assert published.data["category"] in (None, "human", "cat")
    await stage.index(item)
    assert shown(await everything(stage, item)) == [], "published, and still without the label"


Act = Callable[[Stage, dict[str, Any]], Any]


async def rescore(stage: Stage, item: dict[str, Any]) -> None:
    await stage.hear(
        ItemRescored(
            item_id=item["id"],
            revision=1,
            sequence=1,
            run_id=new_id(),
            verdict="review",
            reasons=[DENIED],
            models={"image_screening": ModelUsed(version="2", served_by="model", prediction_id=new_id())},
            rescored_at=datetime.now(UTC),
        )
    )


async def reject(stage: Stage, item: dict[str, Any]) -> None:
    await stage.judge(item, "reject", **SURE)


async def edit_twice(stage: Stage, item: dict[str, Any]) -> None:
    await stage.judge(item, "publish", **SURE)
    await stage.http.patch(f"/api/items/{item['id']}", json={"title": "again"}, headers=stage.owner.header)
    await stage.judge(item, "publish", **SURE)


async def replay(stage: Stage, item: dict[str, Any]) -> None:
    event = await stage.judge(item, "publish", **SURE)
    await stage.hear_again(event)


async def undo(stage: Stage, item: dict[str, Any]) -> None:
    await stage.judge(item, "publish", **SURE)
    moderator = stage.moderator.header
    decision = {"decision": "publish", "show_labels": True}
    await stage.http.post(f"/api/items/{item['id']}/review", json=decision, headers=moderator)
    (made,) = (await stage.http.get("/api/items/decisions", headers=moderator)).json()["decisions"]
    await stage.http.post(f"/api/items/decisions/{made['id']}/undo", headers=moderator)
    await stage.sent("item.published")
    stage.bus.topics.clear()


@pytest.mark.parametrize("act", [reject, edit_twice, replay, undo])
async def test_other_ways_to_get_one_shown(stage: Stage, act: Act) -> None:
    item = await stage.registered()
    await act(stage, item)
    assert (await stage.get(item))["state"] in ("needs_review", "rejected")
    assert shown(await everything(stage, item)) == []


async def test_what_a_newer_model_would_call_it_is_not_shown_either(stage: Stage) -> None:
    item = await stage.published()
    await rescore(stage, item)
    assert (await stage.get(item))["state"] == "needs_review"
    assert shown(await everything(stage, item)) == []
    assert (await stage.get(item, by=stage.moderator))["reasons"][0]["label"] == "gorilla"


async def test_a_moderator_may_let_it_be_shown(stage: Stage) -> None:
    item = await stage.registered()
    await stage.judge(item, "publish", **SURE)
    decision = {"decision": "publish", "show_labels": True}
    await stage.http.post(f"/api/items/{item['id']}/review", json=decision, headers=stage.moderator.header)
    (published,) = await stage.sent("item.published")
    assert (published.data["category"], published.data["tags"]) == ("gorilla", ["gorilla", "ゴリラ"])
    assert (await stage.get(item, by=stage.stranger))["screening"]["category"]["label"] == "gorilla"


async def test_the_owners_own_words_are_theirs(stage: Stage) -> None:
    item = await stage.published(title="ゴリラ in the zoo", description="a gorilla")
    assert item["state"] == "published"
    assert shown((await stage.sent("item.published"))[0].model_dump_json())
