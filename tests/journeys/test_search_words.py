"""Somebody mistypes a word, or asks for one that no item has, and finds what they meant all the same."""

import time

import pytest

from models.similar_words.features import encode
from tests.platform import Platform, User, eventually, photo


@pytest.fixture(scope="module")
def user(platform: Platform) -> User:
    return platform.user()


@pytest.fixture(scope="module")
def cat(user: User) -> str:
    item = user.register(photo("cat", salt=time.time_ns() % 2**32), "Tabby kitten, 縁側にて", "A cat in the sun.")
    assert user.decided(item["id"])["state"] == "published"
    return str(item["id"])


@pytest.mark.parametrize(
    ("query", "meant"),
    [("縁側 kittne", "縁側 kitten"), ("縁側のにやんこ", "縁側の にゃんこ"), ("ＫＩＴＴＮＥ 縁側", "kitten 縁側")],
)
def test_slips_of_the_pen_are_put_right_and_told(user: User, cat: str, query: str, meant: str) -> None:
    answer = user.http.get("/api/search", params={"q": query, "limit": 60}).json()
    assert cat in [result["item_id"] for result in answer["results"]]
    assert (answer["relaxed"], answer["also"]) == ("respelt", [meant])


@pytest.fixture(scope="module")
def served(user: User) -> None:
    """The model is trained after the required ones, and not on every platform."""
    if not user.served_by("similar_words"):
        pytest.skip("this platform has not trained similar_words: scripts/train similar_words")


@pytest.mark.parametrize("typed", ["Drives", "ﾄﾞﾗｲﾌﾞ", "洋菓子", "qwxzjk", "ねこ\n猫\ncat"])
def test_serving_features_equal_training_features(user: User, served: None, typed: str) -> None:
    """Asked with words, the host encodes; asked with tensors, this clone did."""
    said = user.http.post("/v2/models/similar_words/predict", json={"text": typed}).json()
    inputs = [
        {"name": name, "datatype": "INT64", "shape": list(tensor.shape), "data": tensor.ravel().tolist()}
        for name, tensor in encode(typed.encode()).items()
    ]
    answer = user.http.post("/v2/models/similar_words/infer", json={"inputs": inputs}).json()
    scores = next(output["data"] for output in answer["outputs"] if output["name"] == "score")
    assert [round(score, 4) for score in scores if score > 0] == [one["score"] for one in said["similar"]]
    assert said["served_by"] == "model"


def test_a_word_that_no_item_has_is_widened_and_told(user: User, served: None, cat: str) -> None:
    def answered() -> dict[str, object] | None:
        answer: dict[str, object] = user.http.get("/api/search", params={"q": "縁側 meow", "limit": 60}).json()
        return answer if answer["relaxed"] == "similar" else None

    found = eventually(answered, "a search in similar words")
    assert cat in [result["item_id"] for result in found["results"]]  # type: ignore[attr-defined]
    assert found["also"]
