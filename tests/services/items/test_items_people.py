"""What moderators decide and what people like."""

import asyncio
from typing import Any

from tests.services.items.stage import Person, Stage


async def decide(stage: Stage, item: dict[str, Any], status: int = 200, **decision: object) -> dict[str, Any]:
    """The moderator's word."""
    response = await stage.http.post(f"/api/items/{item['id']}/review", json=decision, headers=stage.moderator.header)
    assert response.status_code == status, response.text
    return dict(response.json())


async def test_the_queue_is_oldest_first_and_shows_what_the_models_said(stage: Stage) -> None:
    made = [await stage.registered(title=f"{n}") for n in range(3)]
    for item in made:
        await stage.judge(item, "review")
    await stage.registered(title="still being judged")
    first = (await stage.http.get("/api/items/review?limit=2", headers=stage.moderator.header)).json()
    assert [item["title"] for item in first["items"]] == ["0", "1"]
    assert first["items"][0]["screening"]["category"]["label"] == "cat"
    assert first["items"][0]["reasons"]
    second = (
        await stage.http.get(f"/api/items/review?limit=2&cursor={first['next']}", headers=stage.moderator.header)
    ).json()
    assert ([item["title"] for item in second["items"]], second["next"]) == (["2"], None)


async def test_a_moderator_publishes(stage: Stage) -> None:
    item = await stage.registered()
    await stage.judge(item, "review")
    seen = await decide(stage, item, decision="publish", reason="a toy")
    (reason,) = seen["reasons"]
    assert (seen["state"], reason["kind"], reason["label"]) == ("published", "moderator", "a toy")
    [told] = await stage.sent("item.published")
    assert len(told.data["embedding"]) == 128
    [kept] = await stage.rows("SELECT decision, reason, moderator_id, moderator_name, decided_at FROM decisions")
    assert (kept["decision"], kept["moderator_id"]) == ("publish", stage.moderator.id)
    assert kept["decided_at"]
    await decide(stage, item, 409, decision="publish")
    assert len(await stage.rows("SELECT id FROM decisions")) == 1


async def test_a_moderator_rejects_with_a_reason(stage: Stage) -> None:
    item = await stage.registered()
    await stage.judge(item, "review")
    await decide(stage, item, 422, decision="reject")
    await decide(stage, item, 422, decision="reject", reason=" ")
    await decide(stage, item, 422, decision="maybe", reason="x")
    await decide(stage, item, decision="reject", reason="this is a weapon")
    seen = await stage.get(item)
    assert seen["state"] == "rejected"
    assert [reason["kind"] for reason in seen["reasons"]] == ["picture", "moderator"]
    assert await stage.sent("item.removed") == []


async def test_a_moderator_takes_down_what_is_published(stage: Stage) -> None:
    item = await stage.published()
    await decide(stage, item, decision="reject", reason="stolen")
    [removed] = await stage.sent("item.removed")
    assert removed.data["why"] == "rejected"
    await stage.get(item, by=stage.stranger, status=404)


async def test_a_decision_about_another_revision_is_refused(stage: Stage) -> None:
    item = await stage.registered()
    await stage.judge(item, "review")
    await stage.http.patch(f"/api/items/{item['id']}", json={"title": "worse"}, headers=stage.owner.header)
    await decide(stage, item, 409, decision="publish", revision=1)
    await decide(stage, item, 409, decision="publish")
    await stage.judge(item, "review")
    await decide(stage, item, 409, decision="publish", revision=1)
    assert (await decide(stage, item, decision="publish", revision=2))["state"] == "published"


async def like(stage: Stage, item: dict[str, object], by: Person, method: str = "PUT") -> dict[str, object]:
    """What somebody hears who likes an item, or no longer does."""
    response = await stage.http.request(method, f"/api/items/{item['id']}/like", headers=by.header)
    assert response.status_code == 200, response.text
    return dict(response.json())


async def test_a_like_counts_once(stage: Stage) -> None:
    item = await stage.published()
    for _ in range(2):
        assert await like(stage, item, stage.stranger) == {"likes": 1, "liked": True}
    assert await like(stage, item, stage.moderator) == {"likes": 2, "liked": True}
    assert (await stage.get(item, by=stage.stranger))["liked"] is True
    assert (await stage.get(item, by=stage.owner))["liked"] is False
    for _ in range(2):
        assert await like(stage, item, stage.stranger, "DELETE") == {"likes": 1, "liked": False}
    told = await stage.sent("item.liked")
    assert [(event.data["liked"], event.data["likes"]) for event in told] == [(True, 1), (True, 2), (False, 1)]
    sequences = [event.data["sequence"] for event in told]
    assert sequences == sorted(set(sequences))


async def test_likes_at_the_same_time_are_all_counted(stage: Stage) -> None:
    item = await stage.published()
    await asyncio.gather(*(like(stage, item, Person(f"{n}")) for n in range(12)))
    assert (await stage.get(item))["likes"] == 12
    assert (await stage.rows("SELECT count(*) AS n FROM likes"))[0]["n"] == 12


async def test_only_what_is_published_can_be_liked(stage: Stage) -> None:
    item = await stage.registered()
    for by in (stage.owner, stage.stranger, stage.moderator):
        response = await stage.http.put(f"/api/items/{item['id']}/like", headers=by.header)
        assert response.status_code == 404
    assert (await stage.http.put(f"/api/items/{item['id']}/like")).status_code == 401
    assert await stage.rows("SELECT * FROM likes") == []
