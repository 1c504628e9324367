"""What texts takes and refuses over HTTP."""

import httpx
import pytest

from services.texts.main import build
from tests.conftest import MakeBackends, MakeClient


@pytest.fixture
def texts(backends: MakeBackends, client: MakeClient) -> httpx.AsyncClient:
    return client(build(backends()))


async def test_terms_of_a_batch_come_in_order(texts: httpx.AsyncClient) -> None:
    answer = await texts.post("/api/texts/terms", json={"texts": ["ねこ", "two DOGS", ""]})
    assert answer.status_code == 200
    results = answer.json()["results"]
    assert [result["terms"] for result in results] == [["猫"], ["two", "犬"], []]
    assert [result["language"] for result in results] == ["ja", "en", "other"]
    assert answer.json()["vocabulary"]


async def test_a_query_is_understood(texts: httpx.AsyncClient) -> None:
    answer = await texts.post("/api/texts/query", json={"q": "白い kitten"})
    assert answer.json() == {
        "language": "mixed",
        "groups": [["白"], ["子猫"]],
        "broader": [["白"], ["子猫", "猫"]],
        "category": "cat",
        "attributes": None,
        "unfamiliar": [],
        "respelt": None,
    }


async def test_an_unfamiliar_word_and_a_slip_of_the_pen_are_told(texts: httpx.AsyncClient) -> None:
    answer = (await texts.post("/api/texts/query", json={"q": "白い tulpi"})).json()
    assert answer["unfamiliar"] == [{"word": "tulpi", "groups": [1]}]
    assert answer["respelt"]["query"] == "白い tulip"
    assert answer["respelt"]["groups"] == [["白"], ["チューリップ"]]
    assert answer["respelt"]["category"] == "flower"


async def test_attributes_of_the_picture_are_told_apart(texts: httpx.AsyncClient) -> None:
    answer = (await texts.post("/api/texts/query", json={"q": "two cats on the left, dark"})).json()
    assert (answer["groups"], answer["category"]) == ([["猫"]], "cat")
    assert answer["attributes"] == {
        "count": 2,
        "at_least": False,
        "where": ["left"],
        "brightness": "dark",
        "place": None,
        "said": {"count": ["2", "two"], "where": ["左", "left"], "brightness": ["暗い"]},
    }


async def test_the_largest_batch_is_taken(texts: httpx.AsyncClient) -> None:
    longest = "猫と犬。" * 1000
    answer = await texts.post("/api/texts/terms", json={"texts": [longest] * 64})
    assert answer.status_code == 200
    assert answer.json()["results"][63]["terms"] == ["猫", "犬"]


@pytest.mark.parametrize(
    ("path", "body", "where"),
    [
        ("terms", {"texts": []}, "body.texts"),
        ("terms", {"texts": ["x"] * 65}, "body.texts"),
        ("terms", {"texts": ["あ" * 4001]}, "body.texts.0"),
        ("terms", {"texts": ["a\x00b"]}, "body.texts.0"),
        ("terms", {"texts": [1]}, "body.texts.0"),
        ("terms", {}, "body.texts"),
        ("query", {"q": "a" * 201}, "body.q"),
        ("query", {"q": "ねこ\x1b[31m"}, "body.q"),
        ("query", {"q": None}, "body.q"),
    ],
)
async def test_what_is_not_valid_is_named(texts: httpx.AsyncClient, path: str, body: object, where: str) -> None:
    answer = await texts.post(f"/api/texts/{path}", json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert [fault["where"] for fault in answer.json()["errors"]] == [where]


async def test_half_a_character_is_refused(texts: httpx.AsyncClient) -> None:
    answer = await texts.post(
        "/api/texts/query", content=b'{"q": "\\ud83d"}', headers={"content-type": "application/json"}
    )
    assert answer.status_code == 422


async def test_markup_and_sql_are_text(texts: httpx.AsyncClient) -> None:
    answer = await texts.post("/api/texts/query", json={"q": "<script>cat</script>' OR 1=1; --"})
    assert ["猫"] in answer.json()["groups"]
