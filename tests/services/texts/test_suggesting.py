"""What is suggested from what is typed and what is seen, and what happens while models are away."""

from typing import Any

import httpx
import orjson
import pytest

from models.labels import CATEGORIES, names
from services.texts import phrases
from services.texts.main import build
from services.texts.suggesting import Suggesting
from services.texts.terms import Terms
from tests.conftest import MakeBackends, MakeClient

PREDICTION = "0190a0b0-0000-7000-8000-000000000001"
QUICK = {
    "model": "image_quick",
    "id": PREDICTION,
    "top": [{"label": "cat", "score": 0.92}, {"label": "dog", "score": 0.05}],
}
SEEN = {"category": QUICK}
DETAILED = SEEN | {"attributes": {"model": "object_attributes", "count": 2, "brightness": "bright", "place": "indoors"}}


class Model:
    """input_assist, as its host answers."""

    def __init__(self) -> None:
        self.label, self.sure, self.status, self.served_by = "none", False, 200, "model"
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/v2/models/input_assist/predict"
        self.asked.append(orjson.loads(request.content)["text"])
        if self.status == 0:
            raise httpx.ReadTimeout("late", request=request)
        top = [{"label": self.label, "score": 0.8}, {"label": "none", "score": 0.1}]
        category = {"label": self.label, "score": 0.8, "sure": self.sure, "top": top}
        return httpx.Response(self.status, json={"id": PREDICTION, "served_by": self.served_by, "category": category})


@pytest.fixture
def model() -> Model:
    return Model()


@pytest.fixture
def texts(backends: MakeBackends, client: MakeClient, model: Model) -> httpx.AsyncClient:
    return client(build(backends(transport=httpx.MockTransport(model))))


async def suggested(texts: httpx.AsyncClient, **form: Any) -> dict[str, list[tuple[str, str]]]:
    """Field -> value and model of each suggestion."""
    answer = await texts.post("/api/texts/suggest", json=form)
    assert answer.status_code == 200, answer.text
    found: dict[str, list[tuple[str, str]]] = {"category": [], "title": [], "tag": []}
    for one in answer.json()["suggestions"]:
        found[one["field"]].append((one["value"], one["model"]))
    return found


async def test_nothing_typed_and_nothing_seen_is_no_suggestion(texts: httpx.AsyncClient, model: Model) -> None:
    answer = (await texts.post("/api/texts/suggest", json={})).json()
    assert answer == {"suggestions": [], "degraded": False}
    assert model.asked == []


async def test_a_picture_suggests_a_category_titles_and_a_tag(texts: httpx.AsyncClient) -> None:
    found = await suggested(texts, seen=SEEN, language="ja")
    assert found["category"] == [("cat", "image_quick")]
    assert ("うちの猫", "image_quick") in found["title"]
    assert found["tag"] == [("猫", "image_quick")]
    assert (await suggested(texts, seen=SEEN, language="en"))["title"][0] == ("My cat", "image_quick")


async def test_attributes_make_fuller_titles_by_their_own_model(texts: httpx.AsyncClient) -> None:
    found = await suggested(texts, seen=DETAILED, language="ja")
    assert found["title"][:2] == [
        ("明るい部屋にいる2匹の猫", "object_attributes"),
        ("2匹の猫", "object_attributes"),
    ]
    assert ("室内", "object_attributes") in found["tag"]
    english = await suggested(texts, seen=DETAILED, language="en")
    assert english["title"][0] == ("Two cats in a bright room", "object_attributes")


async def test_an_unlikely_category_is_offered_but_no_title_is_made_of_it(texts: httpx.AsyncClient) -> None:
    unsure = {"model": "image_quick", "top": [{"label": "dog", "score": 0.3}, {"label": "cat", "score": 0.1}]}
    found = await suggested(texts, seen={"category": unsure})
    assert found == {"category": [("dog", "image_quick")], "title": [], "tag": []}


async def test_labels_nobody_here_knows_are_left_out(texts: httpx.AsyncClient) -> None:
    other = {"model": "image_screening", "top": [{"label": "unicorn", "score": 0.9}]}
    assert await suggested(texts, seen={"category": other}) == {"category": [], "title": [], "tag": []}


async def test_the_model_says_what_is_being_typed_where_it_is_sure(texts: httpx.AsyncClient, model: Model) -> None:
    model.label, model.sure = "dog", True
    found = await suggested(texts, title="wagging its tail", seen=SEEN)
    assert found["category"] == [("dog", "input_assist"), ("cat", "image_quick")]
    assert model.asked == ["wagging its tail"]


async def test_what_model_and_picture_both_say_is_said_once_by_the_surer(
    texts: httpx.AsyncClient, model: Model
) -> None:
    model.label, model.sure = "cat", True
    assert (await suggested(texts, title="ねこ", seen=SEEN))["category"] == [("cat", "image_quick")]


@pytest.mark.parametrize(("status", "degraded"), [(503, True), (0, True), (422, False)])
async def test_while_the_model_is_away_the_vocabulary_answers(
    texts: httpx.AsyncClient, model: Model, status: int, degraded: bool
) -> None:
    model.status = status
    answer = (await texts.post("/api/texts/suggest", json={"title": "柴犬と散歩", "language": "ja"})).json()
    assert answer["degraded"] is degraded
    found = [(one["field"], one["value"], one["model"]) for one in answer["suggestions"]]
    assert ("category", "dog", "words") in found
    assert ("tag", "柴犬", "words") in found


async def test_the_default_answer_suggests_nothing(texts: httpx.AsyncClient, model: Model) -> None:
    model.label, model.sure, model.served_by = "dog", True, "default"
    assert (await suggested(texts, title="abc"))["category"] == []


@pytest.mark.parametrize(
    ("title", "finished"),
    [
        ("庭のひまわ", "庭のひまわり"),
        ("庭のヒマワ", "庭のヒマワリ"),
        ("Two kitt", "Two kitten"),
        ("my Sunfl", "my Sunflower"),
        ("ab", None),
    ],
)
async def test_the_last_word_of_a_title_is_finished(texts: httpx.AsyncClient, title: str, finished: str | None) -> None:
    values = [value for value, by in (await suggested(texts, title=title, seen=SEEN))["title"] if by == "words"]
    assert all(value.startswith(title) for value in values)
    assert finished is None or finished in values


async def test_words_of_the_pictures_category_come_first(texts: httpx.AsyncClient) -> None:
    bird = {"category": {"model": "image_quick", "top": [{"label": "bird", "score": 0.9}]}}
    assert (await suggested(texts, title="a chi", seen=bird))["title"][0][0] == "a chick"


async def test_a_title_is_not_offered_over_what_is_typed(texts: httpx.AsyncClient) -> None:
    assert "My cat" not in [value for value, _ in (await suggested(texts, title="x", seen=SEEN))["title"]]


async def test_a_tag_that_is_in_the_text_is_not_offered_again(texts: httpx.AsyncClient) -> None:
    found = await suggested(texts, description="on the sofa #Cat", seen=SEEN)
    assert "cat" not in [value for value, _ in found["tag"]]


@pytest.mark.parametrize(
    "form",
    [
        {"title": "x" * 121},
        {"title": "a\x00b"},
        {"description": "x" * 2001},
        {"language": "fr"},
        {"title": 5},
        {"seen": {"category": {"model": "Drop Table", "top": []}}},
        {"seen": {"category": {"model": "image_quick", "top": [{"label": "cat", "score": 7}]}}},
        {"unknown": True},
    ],
)
async def test_bad_input_is_refused_with_where(texts: httpx.AsyncClient, form: dict[str, Any]) -> None:
    answer = await texts.post("/api/texts/suggest", json=form)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["where"].startswith("body")


def test_every_category_has_its_phrases_in_both_languages() -> None:
    for category in names(CATEGORIES):
        for language in ("ja", "en"):
            assert len(phrases.plain(category, language)) >= 2


def test_kinds_are_called_in_both_languages(terms: Terms) -> None:
    kinds = Suggesting(terms)._kinds
    assert len(kinds) > 100
    assert kinds["三毛猫"].called("en") == "calico"
    assert [kind.name for kind in kinds.values() if kind.called("en") is None] == []


async def test_what_is_denied_is_suggested_nowhere(
    backends: MakeBackends, client: MakeClient, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {"title": "公園の猫", "description": "kitten", "seen": DETAILED, "language": "ja"}
    before = await suggested(client(build(backends(transport=httpx.MockTransport(model)))), **asked)
    assert "cat" in [value for value, _ in before["category"]]
    monkeypatch.setenv("DENIED_LABELS", "cat")
    found = await suggested(client(build(backends(transport=httpx.MockTransport(model)))), **asked)
    assert [value for value, _ in found["category"] if value == "cat"] == []
    assert [value for some in found.values() for value, _ in some if value in ("cat", "猫")] == []
