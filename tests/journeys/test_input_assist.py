"""From a photo to suggestions, from suggestions to a registration, and from there to the figures of the warehouse."""

import time
from typing import Any

import pytest

from models.input_assist.features import encode
from tests.platform import Platform, User, eventually, photo


@pytest.fixture(scope="module")
def user(platform: Platform) -> User:
    return platform.user()


@pytest.fixture
def trained_here(user: User) -> None:
    if not user.served_by("input_assist"):
        pytest.skip("this platform has not trained input_assist: scripts/train input_assist")


def suggested(user: User, **form: Any) -> dict[str, list[dict[str, Any]]]:
    """The suggestions of a form, by field."""
    answer = user.http.post("/api/texts/suggest", json=form)
    assert answer.status_code == 200, answer.text
    found: dict[str, list[dict[str, Any]]] = {"category": [], "title": [], "tag": []}
    for one in answer.json()["suggestions"]:
        found[one["field"]].append(one)
    return found


def seen(prediction: dict[str, Any]) -> dict[str, Any]:
    """What a model answered about a picture, as a form has it."""
    told = {name: prediction[name] for name in ("model", "id")}
    return {"category": told | {"top": prediction["category"]["top"]}}


@pytest.mark.parametrize("text", ["うちのネコ", "sunfl", "夕焼け"])
def test_serving_sees_what_training_saw(user: User, trained_here: None, text: str) -> None:
    by_road = user.http.post("/v2/models/input_assist/predict", json={"text": text}).json()
    assert by_road["served_by"] == "model"
    tensor = encode(text.encode())["features"]
    body = {
        "inputs": [
            {"name": "features", "shape": list(tensor.shape), "datatype": "FP32", "data": tensor.ravel().tolist()}
        ]
    }
    answer = user.http.post("/v2/models/input_assist/infer", json=body).json()
    assert max(answer["outputs"][0]["data"]) == pytest.approx(by_road["category"]["score"], abs=1e-6)


@pytest.mark.parametrize(
    ("title", "language", "category"),
    [("庭に来たメジロ", "ja", "bird"), ("purring on my lap", "en", "cat"), ("my sunflo", "en", "flower")],
)
def test_what_is_typed_suggests_a_category(
    user: User, trained_here: None, title: str, language: str, category: str
) -> None:
    found = eventually(lambda: suggested(user, title=title, language=language)["category"], f"a category for {title}")
    assert found[0]["value"] == category


def test_quick_suggestions_come_with_the_photo_and_deep_ones_soon_after(user: User) -> None:
    job = user.http.post("/api/proxy/predict", content=photo("cat", salt=time.time_ns() % 2**32)).json()
    assert job["fast"]["model"] == "image_quick"
    quick = suggested(user, seen=seen(job["fast"]), language="ja")
    assert {one["model"] for one in quick["category"]} == {"image_quick"}

    def ended() -> dict[str, Any] | None:
        told: dict[str, Any] = user.http.get(f"/api/proxy/jobs/{job['id']}").json()
        return told if told["state"] == "done" else None

    deep = suggested(user, seen=seen(eventually(ended, "the deep answer")["slow"]), language="ja")
    assert (deep["category"][0]["value"], deep["category"][0]["model"]) == ("cat", "image_screening")
    assert {one["model"] for one in deep["title"]} == {"image_screening"}
    assert "猫" in [one["value"] for one in deep["tag"]]


def test_suggestions_offered_and_taken_are_counted_by_the_warehouse(platform: Platform, user: User) -> None:
    operator = platform.user("operator")
    answer = operator.http.get("/api/warehouse/figures")
    if answer.status_code != 200:
        pytest.skip("no warehouse on this platform")
    before = counted(answer.json())
    offered = [
        {"field": "category", "value": "cat", "model": "image_quick"},
        {"field": "category", "value": "dog", "model": "image_quick"},
        {"field": "tag", "value": "猫", "model": "image_screening"},
    ]
    picture = photo("cat", salt=time.time_ns() % 2**32)
    item = user.register(picture, "窓辺でお昼寝", "#猫", category="cat", suggestions=offered)
    assert item["category"] == "cat"

    def more() -> bool:
        now = counted(operator.http.get("/api/warehouse/figures").json())
        added = {key: tuple(a - b for a, b in zip(now[key], before.get(key, (0, 0)), strict=True)) for key in now}
        quick, deep = added.get(("image_quick", "category")), added.get(("image_screening", "tag"))
        return quick is not None and quick >= (2, 1) and deep is not None and deep >= (1, 1)

    eventually(more, "the suggestions in the figures", 60)


def counted(figures: dict[str, Any]) -> dict[tuple[str, str], tuple[int, int]]:
    """Offered and taken, by model and field."""
    return {(one["model"], one["field"]): (one["offered"], one["taken"]) for one in figures["suggestions"]}
