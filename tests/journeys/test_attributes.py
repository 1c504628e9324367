"""Somebody registers three cats in the dark and finds them by saying so: 猫 3匹 暗い 外."""

import time
from typing import Any

import httpx
import numpy as np
import pytest

from models.object_attributes.features import encode
from tests.journeys.drawn import cats
from tests.platform import Platform, User, photo

MODEL = "object_attributes"
ASKED = ("猫 3匹 暗い 外", "three cats, dark, outside", "暗い外に猫が三匹", "cats 3 dark outdoors")


@pytest.fixture(scope="module")
def user(platform: Platform) -> User:
    """Somebody, on a platform that has the model."""
    found = platform.user()
    if found.http.get(f"/v2/models/{MODEL}/ready").status_code != 200:
        pytest.skip(f"no {MODEL} is trained on this platform: scripts/train {MODEL}")
    return found


@pytest.fixture(scope="module")
def three(user: User) -> dict[str, Any]:
    """The item that is as wanted; it is older than those that are not."""
    return registered(user, cats(3, dark=True, outdoors=True, salt=salt()))


@pytest.fixture(scope="module")
def others(user: User, three: dict[str, Any]) -> list[dict[str, Any]]:
    """The same words, other pictures."""
    pictures = [cats(1, dark=False, outdoors=False, salt=salt()), cats(3, dark=False, outdoors=False, salt=salt())]
    return [registered(user, picture) for picture in pictures]


def salt() -> int:
    return time.time_ns() % 2**32


def registered(user: User, picture: bytes) -> dict[str, Any]:
    item = user.decided(user.register(picture, "うちのねこ My cats")["id"], seconds=60)
    assert item["state"] == "published", item["reasons"]
    return item


def test_what_it_shows_is_noticed(three: dict[str, Any]) -> None:
    seen = three["screening"]["attributes"]
    assert (seen["count"], seen["brightness"], seen["place"]) == (3, "dark", "outdoors")
    assert {"left", "right"} <= set(seen["where"])
    assert three["screening"]["models"][MODEL]["served_by"] == "model"


@pytest.mark.parametrize("q", ASKED)
def test_it_is_found_before_the_others_by_saying_so(
    user: User, three: dict[str, Any], others: list[dict[str, Any]], q: str
) -> None:
    answer = user.http.get("/api/search", params={"q": q, "limit": 60}).json()
    wanted = answer["attributes"]
    assert (wanted["count"], wanted["brightness"], wanted["place"]) == (3, "dark", "outdoors")
    found = {result["item_id"]: (at, result["has"]) for at, result in enumerate(answer["results"])}
    place, has = found[three["id"]]
    assert has == ["count", "brightness", "place"]
    assert all(result["has"] == has for result in answer["results"][: place + 1])
    assert all(found.get(other["id"], (60, []))[0] > place for other in others)


def test_what_is_not_so_is_still_found(user: User, three: dict[str, Any], others: list[dict[str, Any]]) -> None:
    everything = user.http.get("/api/search", params={"q": "うちのねこ 7匹 明るい 室内", "limit": 60}).json()["results"]
    ids = [result["item_id"] for result in everything]
    assert ids.index(others[0]["id"]) < ids.index(three["id"])


@pytest.mark.parametrize(
    ("language", "words"), [("ja", ["暗い", "屋外", "3 つ"]), ("en", ["dark", "outdoors", "3 things"])]
)
def test_pages_tell_it(platform: Platform, three: dict[str, Any], language: str, words: list[str]) -> None:
    with platform.anonymous() as http:
        http.headers["accept-language"] = language
        page = http.get(f"/items/{three['id']}").text
        results = http.get("/search", params={"q": ASKED[0]}).text
    assert page.count('class="above"') == 3
    for word in words:
        assert word in page
        assert word in results
    assert 'class="badge good"' in results


def infer(user: User, array: np.ndarray[Any, Any]) -> httpx.Response:
    tensor = {"name": "image", "datatype": "UINT8", "shape": list(array.shape), "data": array.ravel().tolist()}
    return user.http.post(f"/v2/models/{MODEL}/infer", json={"inputs": [tensor]})


@pytest.mark.parametrize("picture", [photo("cat"), photo("coffee")])
def test_serving_features_equal_training_features(user: User, picture: bytes) -> None:
    """What the host makes of a picture is, byte for byte, what training makes of it: the same boxes come out."""
    outputs = {one["name"]: one for one in infer(user, encode(picture)["image"]).json()["outputs"]}
    friendly = user.http.post(f"/v2/models/{MODEL}/predict", content=picture).json()
    assert friendly["served_by"] == "model"
    boxes = np.array(outputs["boxes"]["data"], np.float32).reshape(outputs["boxes"]["shape"])[0]
    told = friendly["attributes"]["objects"]
    assert told
    for one in told:
        rounded = [one[side] for side in ("left", "top", "right", "bottom", "score")]
        assert np.abs(boxes - rounded).max(1).min() < 1e-4, rounded
    moved = infer(user, np.roll(encode(picture)["image"], 1, axis=2)).json()["outputs"]
    other = next(np.array(one["data"]) for one in moved if one["name"] == "boxes")
    assert np.abs(other - boxes.ravel()).max() > 1e-4, "a picture that is one pixel off is told apart"
