"""The moderator's portal: a fair queue, decisions that name the violation, two at once, and taking one back."""

import asyncio
from typing import Any
from uuid import uuid4

from tests.services.items.stage import Person, Stage
from tests.services.items.test_items_rescoring import rescored

OTHER = Person("tama", ("user", "moderator"))


async def decide(stage: Stage, item: dict[str, Any], by: Person | None = None, **decision: Any) -> tuple[int, Any]:
    """What a moderator hears."""
    header = (by or stage.moderator).header
    answer = await stage.http.post(f"/api/items/{item['id']}/review", json=decision, headers=header)
    return answer.status_code, answer.json()


async def undo(stage: Stage, decision_id: Any, by: Person | None = None) -> tuple[int, Any]:
    """Take one back."""
    header = (by or stage.moderator).header
    answer = await stage.http.post(f"/api/items/decisions/{decision_id}/undo", headers=header)
    return answer.status_code, answer.json()


async def decisions(stage: Stage, query: str = "") -> Any:
    """The recent ones."""
    return (await stage.http.get(f"/api/items/decisions{query}", headers=stage.moderator.header)).json()


async def queue(stage: Stage, query: str = "") -> Any:
    """What waits."""
    return (await stage.http.get(f"/api/items/review{query}", headers=stage.moderator.header)).json()


async def waiting(stage: Stage, **body: Any) -> dict[str, Any]:
    """An item in the queue, as a moderator sees it."""
    item = await stage.registered(**body)
    await stage.judge(item, "review")
    return await stage.get(item, by=stage.moderator)


async def test_who_has_waited_longest_comes_first_and_a_page_stays_a_page(stage: Stage) -> None:
    old = await stage.published(title="old, and doubted last")
    items = [await waiting(stage, title=f"{n}") for n in range(3)]
    await stage.hear(rescored(old))
    first = await queue(stage, "?limit=2")
    assert [item["title"] for item in first["items"]] == ["0", "1"]
    assert first["waiting"] == 4
    assert first["oldest_at"] == first["items"][0]["decided_at"]
    for item in items[:2]:
        await decide(stage, item, decision="publish")
    second = await queue(stage, f"?limit=2&cursor={first['next']}")
    assert [item["title"] for item in second["items"]] == ["2", "old, and doubted last"]
    assert (second["next"], second["waiting"]) == (None, 2)
    for cursor in ("x", "1_2", f"99999999999999999999_{uuid4()}"):
        refused = await stage.http.get(f"/api/items/review?cursor={cursor}", headers=stage.moderator.header)
        assert refused.status_code == 422


async def test_a_decision_leaves_as_a_label(stage: Stage) -> None:
    item = await waiting(stage, category="dog")
    assert (await decide(stage, item, decision="reject", label="no such thing"))[0] == 422
    assert (await decide(stage, item, decision="publish", label="weapon"))[0] == 422
    status, seen = await decide(stage, item, decision="reject", label="weapon", sequence=item["sequence"])
    assert status == 200
    assert [(reason["kind"], reason["label"]) for reason in seen["reasons"]][-1] == ("moderator", "weapon")
    (told,) = await stage.sent("item.reviewed")
    assert told.key == item["id"]
    data = told.data
    assert (data["decision"], data["label"], data["reason"]) == ("reject", "weapon", "")
    assert (data["title"], data["category"], data["revision"]) == ("三毛猫", "dog", 1)
    assert [reason["label"] for reason in data["reasons"]] == ["weapon"], "why a moderator looked"
    assert data["models"]["image_screening"]["version"] == "1"
    assert data["moderator_id"] == str(stage.moderator.id)
    (kept,) = (await decisions(stage))["decisions"]
    assert data["decision_id"] == kept["id"]
    assert (kept["label"], kept["moderator_name"], kept["undoable"]) == ("weapon", "moderator", True)


async def test_of_two_at_once_the_second_is_told(stage: Stage) -> None:
    item = await waiting(stage)
    answers = await asyncio.gather(
        decide(stage, item, decision="publish", sequence=item["sequence"]),
        decide(stage, item, OTHER, decision="reject", label="spam", sequence=item["sequence"]),
    )
    assert sorted(status for status, _ in answers) == [200, 409]
    first, second = ("moderator", "tama") if answers[0][0] == 200 else ("tama", "moderator")
    refused = next(body for status, body in answers if status == 409)
    assert first in refused["detail"]
    assert second not in refused["detail"]
    assert len(await stage.sent("item.reviewed")) == 1
    state = (await stage.get(item))["state"]
    assert state == ("published" if first == "moderator" else "rejected")


async def test_one_who_looked_at_an_older_state_takes_nothing_down(stage: Stage) -> None:
    item = await waiting(stage)
    assert (await decide(stage, item, decision="publish", sequence=item["sequence"]))[0] == 200
    late = {"decision": "reject", "label": "weapon"}
    status, body = await decide(stage, item, OTHER, **late, sequence=item["sequence"])
    assert (status, "moderator has decided already: publish" in body["detail"]) == (409, True)
    assert (await stage.get(item))["state"] == "published"
    await stage.http.patch(f"/api/items/{item['id']}", json={"title": "new"}, headers=stage.owner.header)
    await stage.judge(item, "review")
    assert (await decide(stage, item, OTHER, **late, sequence=item["sequence"]))[0] == 409
    assert (await decide(stage, item, OTHER, **late, revision=1))[0] == 409
    assert (await stage.get(item))["state"] == "needs_review"


async def test_a_publication_taken_back_is_where_it_was_and_unseen(stage: Stage) -> None:
    item = await waiting(stage)
    await decide(stage, item, decision="publish", reason="a toy")
    await stage.index(item)
    (made,) = (await decisions(stage))["decisions"]
    status, now = await undo(stage, made["id"], OTHER)
    assert status == 200
    restored = ("state", "reasons", "decided_at", "searchable_at")
    assert {name: now[name] for name in restored} == {name: item[name] for name in restored}
    await stage.get(item, by=stage.stranger, status=404)
    (removed,) = await stage.sent("item.removed")
    assert removed.data["why"] == "review"
    assert [entry["id"] for entry in (await queue(stage))["items"]] == [item["id"]]
    told = await stage.sent("item.reviewed")
    assert [event.data["decision"] for event in told] == ["publish", "undo"]
    assert {event.data["decision_id"] for event in told} == {made["id"]}
    (kept,) = (await decisions(stage))["decisions"]
    assert (kept["undone_by"], kept["undoable"]) == ("tama", False)
    status, refused = await undo(stage, made["id"])
    assert (status, "tama has taken it back already" in refused["detail"]) == (409, True)
    assert (await decide(stage, now, decision="reject", label="weapon", sequence=now["sequence"]))[0] == 200
    assert [entry["undoable"] for entry in (await decisions(stage))["decisions"]] == [True, False]


async def test_a_rejection_taken_back_waits_again_as_before(stage: Stage) -> None:
    ahead = await waiting(stage, title="ahead")
    item = await waiting(stage, title="behind")
    await decide(stage, ahead, decision="reject", reason="wrong")
    (made,) = (await decisions(stage))["decisions"]
    assert (await undo(stage, made["id"]))[0] == 200
    assert [entry["title"] for entry in (await queue(stage))["items"]] == ["ahead", "behind"]
    await stage.hear(rescored(item))
    assert (await stage.get(ahead))["reasons"] == ahead["reasons"]
    assert await stage.sent("item.removed") == []


async def test_what_was_taken_down_comes_back_as_the_models_left_it(stage: Stage) -> None:
    item = await stage.published()
    await decide(stage, item, decision="reject", reason="stolen")
    (made,) = (await decisions(stage))["decisions"]
    assert (await undo(stage, made["id"]))[0] == 200
    now = await stage.get(item, by=stage.stranger)
    assert (now["state"], now["searchable_at"]) == ("published", item["searchable_at"])
    published = await stage.sent("item.published")
    assert len(published) == 2
    assert published[1].data["embedding"] == published[0].data["embedding"]
    assert published[1].data["sequence"] > published[0].data["sequence"]
    event = await stage.hear(rescored(item))
    assert event
    assert (await stage.get(item))["state"] == "needs_review", "no person's decision stands any more"


async def test_only_the_last_decision_and_only_while_nothing_happened_since(stage: Stage) -> None:
    item = await waiting(stage)
    await decide(stage, item, decision="publish")
    await decide(stage, item, decision="reject", label="other")
    second, first = [made["id"] for made in (await decisions(stage))["decisions"]]
    assert [made["undoable"] for made in (await decisions(stage))["decisions"]] == [True, False]
    assert (await undo(stage, first))[0] == 409
    assert (await undo(stage, second))[0] == 200
    assert (await undo(stage, first))[0] == 200
    assert (await stage.get(item))["state"] == "needs_review"
    await decide(stage, item, decision="publish")
    third = (await decisions(stage, "?limit=1"))["decisions"][0]["id"]
    await stage.http.patch(f"/api/items/{item['id']}", json={"title": "new"}, headers=stage.owner.header)
    assert (await undo(stage, third))[0] == 409
    assert (await undo(stage, uuid4()))[0] == 404
    page = await decisions(stage, "?limit=2")
    assert len(page["decisions"]) == 2
    assert [made["id"] for made in (await decisions(stage, f"?cursor={page['next']}"))["decisions"]] == [first]


async def test_others_neither_see_decisions_nor_take_them_back(stage: Stage) -> None:
    item = await waiting(stage)
    await decide(stage, item, decision="publish")
    (made,) = (await decisions(stage))["decisions"]
    for by in (stage.owner, stage.stranger):
        assert (await stage.http.get("/api/items/decisions", headers=by.header)).status_code == 403
        assert (await undo(stage, made["id"], by))[0] == 403
    assert (await stage.get(item))["state"] == "published"
