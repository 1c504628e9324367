"""From registering to being found, and everything that can come twice, late or wrong in between."""

import pytest

from services.chassis.ids import new_id
from services.contracts import Verdict
from tests.services.items.stage import PICTURE, Stage


async def test_a_registered_item_is_judged_published_and_found(stage: Stage) -> None:
    item = await stage.registered(category=None)
    assert (item["state"], item["revision"], item["owner_name"], item["likes"]) == ("screening", 1, "owner", 0)
    [asked] = await stage.sent("item.registered")
    assert asked.data["title"] == "三毛猫"

    judgement = await stage.judge(item)
    seen = await stage.get(item, by=stage.stranger)
    assert seen["state"] == "published"
    assert seen["screening"]["category"]["label"] == "cat"
    assert "embedding" not in seen["screening"]
    [told] = await stage.sent("item.published")
    assert told.causationid == judgement.id
    assert told.requestid == asked.requestid is not None
    assert (told.data["category"], told.data["tags"]) == ("cat", ["cat", "animal"])
    assert len(told.data["embedding"]) == 128
    assert seen["searchable_at"] is None

    await stage.index(item)
    assert (await stage.get(item))["searchable_at"] is not None
    assert len(await stage.rows("SELECT id FROM outbox")) == 1
    await stage.show(item)
    assert await stage.rows("SELECT id FROM outbox") == []


@pytest.mark.parametrize(("verdict", "state"), [("reject", "rejected"), ("review", "needs_review")])
async def test_what_is_not_published_says_why_and_is_told_to_nobody(stage: Stage, verdict: Verdict, state: str) -> None:
    item = await stage.registered()
    await stage.judge(item, verdict)
    seen = await stage.get(item)
    assert seen["state"] == state
    (reason,) = seen["reasons"]
    told = {"kind": "picture", "label": "weapon", "score": 0.9, "by": "image_screening"}
    assert {name: value for name, value in reason.items() if value is not None} == told
    assert await stage.sent("item.published") == []
    assert await stage.rows("SELECT id FROM outbox") == []


async def test_the_owners_category_goes_before_the_models(stage: Stage) -> None:
    item = await stage.registered(category="dog")
    await stage.judge(item)
    [told] = await stage.sent("item.published")
    assert told.data["category"] == "dog"


async def test_the_category_of_a_default_answer_is_not_published(stage: Stage) -> None:
    item = await stage.registered()
    await stage.judge(item, embedding=[], embedding_version="")
    [told] = await stage.sent("item.published")
    assert told.data["category"] is None


async def test_a_judgement_that_comes_twice_counts_once(stage: Stage) -> None:
    item = await stage.registered()
    judgement = await stage.judge(item)
    await stage.hear_again(judgement)
    [asked] = await stage.sent("item.registered")
    await stage.judge(item, "reject", cause=asked)
    assert (await stage.get(item))["state"] == "published"
    assert len(await stage.sent("item.published")) == 1
    assert len(await stage.rows("SELECT event_id FROM screenings")) == 1


async def test_a_judgement_of_an_older_revision_is_ignored(stage: Stage) -> None:
    item = await stage.registered()
    [asked] = await stage.sent("item.registered")
    edited = await stage.http.patch(f"/api/items/{item['id']}", json={"title": "buy now"}, headers=stage.owner.header)
    assert edited.json()["revision"] == 2
    await stage.judge(item, "publish", cause=asked)
    assert (await stage.get(item))["state"] == "screening"
    await stage.judge(item, "reject")
    assert (await stage.get(item))["state"] == "rejected"
    assert await stage.sent("item.published") == []


async def test_a_judgement_of_an_unknown_or_withdrawn_item_changes_nothing(stage: Stage) -> None:
    item = await stage.registered()
    [asked] = await stage.sent("item.registered")
    await stage.http.delete(f"/api/items/{item['id']}", headers=stage.owner.header)
    judgement = await stage.judge(item, cause=asked)
    assert (await stage.get(item))["state"] == "withdrawn"
    unknown = judgement.model_copy(update={"id": new_id(), "data": judgement.data | {"item_id": str(new_id())}})
    await stage.hear_again(unknown)
    assert stage.bus.events("item.screened.dead-letter") == []
    assert await stage.rows("SELECT id FROM outbox") == []


async def test_an_edit_takes_a_published_item_back_until_it_is_judged_again(stage: Stage) -> None:
    item = await stage.published()
    response = await stage.http.patch(
        f"/api/items/{item['id']}",
        json={"title": "黒猫", "category": "cat"},
        headers=stage.owner.header,
    )
    edited = response.json()
    assert (edited["state"], edited["revision"], edited["title"]) == ("screening", 2, "黒猫")
    assert (edited["screening"], edited["reasons"], edited["searchable_at"]) == (None, [], None)
    assert edited["description"] == "a calico cat"
    [removed] = await stage.sent("item.removed")
    assert removed.data["why"] == "edited"
    assert removed.data["image_id"] == PICTURE
    await stage.get(item, by=stage.stranger, status=404)

    await stage.judge(item)
    await stage.index(item)
    again = await stage.get(item, by=stage.stranger)
    assert (again["state"], again["revision"]) == ("published", 2)
    first, second = await stage.sent("item.published")
    assert first.data["sequence"] < removed.data["sequence"] < second.data["sequence"]


async def test_an_edit_that_changes_nothing_is_none(stage: Stage) -> None:
    item = await stage.published()
    for body in ({}, {"title": " 三毛猫 "}, {"category": None}):
        response = await stage.http.patch(f"/api/items/{item['id']}", json=body, headers=stage.owner.header)
        assert response.json() == item


async def test_withdrawing_is_for_good_and_may_be_said_twice(stage: Stage) -> None:
    item = await stage.published()
    for _ in range(2):
        response = await stage.http.delete(f"/api/items/{item['id']}", headers=stage.owner.header)
        assert response.status_code == 204
    [removed] = await stage.sent("item.removed")
    assert removed.data["why"] == "withdrawn"
    assert (await stage.get(item))["state"] == "withdrawn"
    await stage.get(item, by=stage.stranger, status=404)
    edit = await stage.http.patch(f"/api/items/{item['id']}", json={"title": "x"}, headers=stage.owner.header)
    assert edit.status_code == 409


async def test_being_found_counts_once_and_only_for_what_is_published(stage: Stage) -> None:
    item = await stage.registered()
    await stage.judge(item)
    indexed = await stage.index(item)
    found = await stage.get(item)
    await stage.hear_again(indexed)
    assert await stage.get(item) == found

    await stage.http.patch(f"/api/items/{item['id']}", json={"title": "x"}, headers=stage.owner.header)
    await stage.hear_again(indexed)
    assert (await stage.get(item))["searchable_at"] is None
    await stage.judge(item)
    await stage.hear_again(indexed)
    assert (await stage.get(item))["searchable_at"] is None
    await stage.index(item, searchable=False)
    assert (await stage.get(item))["searchable_at"] is None


async def test_the_time_until_it_is_found_is_measured(stage: Stage) -> None:
    await stage.published()
    await stage.published()
    by_hand = await stage.registered()
    await stage.judge(by_hand, "review")
    await stage.http.post(
        f"/api/items/{by_hand['id']}/review", json={"decision": "publish"}, headers=stage.moderator.header
    )
    await stage.index(by_hand)
    body = (await stage.http.get("/api/items/statistics")).json()
    assert body["states"] == {"screening": 0, "published": 3, "rejected": 0, "needs_review": 0, "withdrawn": 0}
    seconds = body["searchable_seconds"]
    assert (seconds["count"], seconds["overall"]["count"], seconds["window"]) == (2, 2, 900)
    assert 0 <= seconds["p50"] <= seconds["p95"] < 60
    metrics = (await stage.http.get("/metrics")).text
    assert "item_registered_to_searchable_seconds_count 2.0" in metrics

    await stage.run("UPDATE items SET searchable_at = searchable_at - interval '1 hour'")
    later = (await stage.http.get("/api/items/statistics")).json()["searchable_seconds"]
    assert (later["count"], later["p50"], later["overall"]["count"]) == (0, None, 2)
