"""What was suggested goes with the registration, and whether it was taken is told by what was registered."""

import json
from typing import Any

import pytest

from tests.services.items.stage import PICTURE, Stage

PREDICTION = "0190a0b0-0000-7000-8000-000000000001"
CAT = {"field": "category", "value": "cat", "model": "image_quick", "prediction_id": PREDICTION}


async def registered(stage: Stage, suggestions: list[dict[str, Any]], **more: Any) -> Any:
    """The answer to a registration with these suggestions on its form."""
    body = {"image_id": PICTURE, "title": "My cat", "suggestions": suggestions} | more
    header = stage.owner.header | {"content-type": "application/json"}
    return await stage.http.post("/api/items", content=json.dumps(body), headers=header)


async def event(stage: Stage) -> list[dict[str, Any]]:
    """The suggestions of the event in the outbox."""
    async with stage.database.connection() as connection:
        rows = await (await connection.execute("SELECT event FROM outbox")).fetchall()
    return [dict(one) for row in rows for one in row["event"]["data"]["suggestions"]]


async def test_what_was_suggested_is_in_the_event_with_whether_it_was_taken(stage: Stage) -> None:
    others = [
        {"field": "title", "value": "My cat", "model": "image_quick"},
        {"field": "title", "value": "Cat of the day", "model": "image_quick"},
        {"field": "tag", "value": "三毛猫", "model": "words"},
        {"field": "tag", "value": "cat", "model": "image_screening"},
        {"field": "category", "value": "dog", "model": "input_assist"},
    ]
    more = {"title": "My cat on the sofa", "description": "asleep #三毛猫 #cats", "category": "cat"}
    answer = await registered(stage, [CAT, *others], **more)
    assert answer.status_code == 201, answer.text
    told = await event(stage)
    assert {(one["field"], one["value"]): one["taken"] for one in told} == {
        ("category", "cat"): True,
        ("title", "My cat"): True,
        ("title", "Cat of the day"): False,
        ("tag", "三毛猫"): True,
        ("tag", "cat"): False,
        ("category", "dog"): False,
    }
    assert told[0] == CAT | {"taken": True}


async def test_without_suggestions_everything_is_as_before(stage: Stage) -> None:
    await stage.registered()
    assert await event(stage) == []


async def test_a_repeated_request_may_have_had_other_suggestions(stage: Stage) -> None:
    header = stage.owner.header | {"idempotency-key": "k"}
    body: dict[str, Any] = {"image_id": PICTURE, "title": "My cat"}
    first = await stage.http.post("/api/items", json=body, headers=header)
    again = await stage.http.post("/api/items", json=body | {"suggestions": [CAT]}, headers=header)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]


async def test_an_edit_has_none(stage: Stage) -> None:
    item = (await registered(stage, [CAT], category="cat")).json()
    await stage.http.patch(f"/api/items/{item['id']}", json={"title": "Our cat"}, headers=stage.owner.header)
    assert len(await event(stage)) == 1


@pytest.mark.parametrize(
    ("suggestions", "where"),
    [
        ([CAT] * 41, "body.suggestions"),
        ("cat", "body.suggestions"),
        ([CAT | {"field": "picture"}], "body.suggestions.0.field"),
        ([CAT | {"value": "x" * 121}], "body.suggestions.0.value"),
        ([CAT | {"value": "a\x00"}], "body.suggestions.0.value"),
        ([CAT | {"value": "\ud83d"}], "body.suggestions.0.value"),
        ([CAT | {"model": "'; DROP TABLE items"}], "body.suggestions.0.model"),
        ([CAT | {"prediction_id": "7"}], "body.suggestions.0.prediction_id"),
        ([CAT | {"taken": True}], "body.suggestions.0.taken"),
    ],
)
async def test_what_is_no_suggestion_is_refused(stage: Stage, suggestions: Any, where: str) -> None:
    answer = await registered(stage, suggestions)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["where"] == where
    assert await event(stage) == []
