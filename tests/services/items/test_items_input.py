"""What may be sent in; what may not is told where, what and what is allowed, and leaves nothing behind."""

import asyncio
from typing import Any

import pytest

from tests.services.items.stage import HIDDEN_PICTURE, PICTURE, PICTURES_DOWN, Stage


async def test_text_is_trimmed_and_line_ends_become_one_kind(stage: Stage) -> None:
    item = await stage.registered(title="\u3000 ねこ 🐈‍⬛ ", description="one\r\ntwo\n\tthree ")
    assert (item["title"], item["description"]) == ("ねこ 🐈‍⬛", "one\ntwo\n\tthree")
    assert (await stage.registered(title="あ" * 120, description="い" * 2000))["state"] == "screening"


async def test_sql_and_html_are_just_text(stage: Stage) -> None:
    text = "'); DROP TABLE items; -- <script>alert(1)</script> %s {{7*7}}"
    assert (await stage.registered(title=text, description=text))["title"] == text


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no title": ({"title": None}, "body.title"),
    "empty title": ({"title": ""}, "body.title"),
    "blank title": ({"title": " \n\u3000"}, "body.title"),
    "invisible title": ({"title": "\u200b\u200d"}, "body.title"),
    "long title": ({"title": "x" * 121}, "body.title"),
    "10 kB title": ({"title": "x" * 10_000}, "body.title"),
    "two lines of title": ({"title": "a\nb"}, "body.title"),
    "control character": ({"title": "a\x07b"}, "body.title"),
    "NUL": ({"description": "a\x00b"}, "body.description"),
    "C1 control character": ({"description": "a\x85b"}, "body.description"),
    "half a surrogate pair": ({"title": "a\ud83d"}, "body.title"),
    "half a surrogate pair as category": ({"category": "\ud83d"}, "body.category"),
    "number as title": ({"title": 5}, "body.title"),
    "long description": ({"description": "x" * 2001}, "body.description"),
    "unknown category": ({"category": "unicorn"}, "body.category"),
    "short picture id": ({"image_id": "abc"}, "body.image_id"),
    "path as picture id": ({"image_id": "../" * 21 + "a"}, "body.image_id"),
    "somebody else's picture": ({"image_id": HIDDEN_PICTURE}, "body.image_id"),
    "a field that is not the sender's": ({"state": "published"}, "body.state"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_is_not_allowed_is_named(stage: Stage, name: str) -> None:
    body, where = REFUSED[name]
    response = await stage.post(**body)
    assert response.status_code == 422, response.text
    assert response.headers["content-type"] == "application/problem+json"
    [fault] = response.json()["errors"]
    assert fault["where"] == where
    assert fault["what"]
    assert await stage.rows("SELECT id FROM items") == []
    assert await stage.rows("SELECT id FROM outbox") == []


async def test_what_is_no_json_is_a_4xx(stage: Stage) -> None:
    for content in (b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b'{"\\ud800": 1}'):
        headers = stage.owner.header | {"Content-Type": "application/json"}
        response = await stage.http.post("/api/items", content=content, headers=headers)
        assert 400 <= response.status_code < 500, (content, response.text)
    huge = await stage.post(description="x" * 70_000)
    assert huge.status_code == 413


async def test_nobody_registers_without_a_token(stage: Stage) -> None:
    for headers in ({}, {"Authorization": "Bearer x.y.z"}, {"Authorization": "Basic eA=="}):
        response = await stage.http.post("/api/items", json={"title": "x", "image_id": PICTURE}, headers=headers)
        assert response.status_code == 401


async def test_nothing_is_taken_while_pictures_cannot_be_checked(stage: Stage) -> None:
    response = await stage.post(image_id=PICTURES_DOWN)
    assert response.status_code == 503
    assert response.headers["retry-after"]
    assert await stage.rows("SELECT id FROM items") == []


async def test_a_repeated_key_registers_nothing_twice(stage: Stage) -> None:
    first = await stage.post(key="k-1")
    again = await stage.post(key="k-1")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]
    assert first.headers["location"] == again.headers["location"] == f"/api/items/{first.json()['id']}"
    assert (await stage.post(key="k-1", title="another")).status_code == 409
    by_another = await stage.post(by=stage.stranger, key="k-1")
    assert by_another.status_code == 201
    without = await stage.post()
    assert len({first.json()["id"], by_another.json()["id"], without.json()["id"]}) == 3
    assert len(await stage.sent("item.registered")) == 3


async def test_the_same_key_at_the_same_time_registers_once(stage: Stage) -> None:
    answers = await asyncio.gather(*(stage.post(key="k") for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(await stage.rows("SELECT id FROM items")) == 1


async def test_a_key_of_a_refused_registration_is_free(stage: Stage) -> None:
    assert (await stage.post(key="k", image_id=HIDDEN_PICTURE)).status_code == 422
    assert (await stage.post(key="k")).status_code == 201


async def test_a_key_is_plain_text(stage: Stage) -> None:
    assert (await stage.post(key="x" * 201)).status_code == 422
    assert (await stage.post(key="a b")).status_code == 422


async def test_an_edit_obeys_the_same_rules(stage: Stage) -> None:
    item = await stage.registered()
    for body in ({"title": ""}, {"title": None}, {"description": None}, {"image_id": PICTURE}, {"category": "x"}):
        response = await stage.http.patch(f"/api/items/{item['id']}", json=body, headers=stage.owner.header)
        assert response.status_code == 422, body
    assert await stage.get(item) == item
