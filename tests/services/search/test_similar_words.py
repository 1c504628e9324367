"""A search whose words are in no item: similar words, the category they are near to, slips of the pen."""

from typing import Any

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray

from models.labels import CATEGORIES, names
from models.similar_words.features import LONGEST_ANSWER, MOST_SIMILAR, encode, written
from tests.services.search.library import Library

KNOWN = {"meow": (["cat", "猫", "kitten"], "cat"), "scales": ([], "fish"), "whiskers": (["beard"], None)}
HASHES = {int(encode(word.encode())["words"][0, 0]): word for word in KNOWN}


def knows(inputs: dict[str, Any]) -> list[dict[str, Any]]:
    """A model of a few words."""
    rows = np.reshape(inputs["words"]["data"], inputs["words"]["shape"])
    said = [KNOWN.get(HASHES.get(int(row[0]), ""), ([], None)) for row in rows]
    count = len(said)
    similar = np.zeros((count, MOST_SIMILAR, LONGEST_ANSWER), np.uint8)
    score, near = np.zeros((count, MOST_SIMILAR), np.float32), np.zeros((count, len(CATEGORIES)), np.float32)
    for row, (words, label) in enumerate(said):
        similar[row, : len(words)] = written(words)
        score[row, : len(words)] = 0.9
        if label:
            near[row, names(CATEGORIES).index(label)] = 0.6
    tensors: dict[str, tuple[str, NDArray[Any]]] = {
        "similar": ("UINT8", similar),
        "score": ("FP32", score),
        "category": ("FP32", near),
    }
    return [
        {"name": name, "datatype": kind, "shape": list(tensor.shape), "data": tensor.ravel().tolist()}
        for name, (kind, tensor) in tensors.items()
    ]


@pytest.fixture
async def shelves(library: Library) -> Library:
    """Three items, and a model that knows a few words."""
    await library.publish("窓辺の猫", category="cat")
    await library.publish("A carp", category="fish")
    await library.publish("庭の犬", category="dog")
    library.neighbours.models["similar_words"] = knows
    return library


async def found(library: Library, query: str) -> dict[str, Any]:
    answer: httpx.Response = await library.http.get("/api/search", params={"q": query})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body | {"titles": [one["title"] for one in body["results"]]}


async def test_an_unfamiliar_word_is_widened_by_similar_ones_and_that_is_told(shelves: Library) -> None:
    said = await found(shelves, "meow")
    assert said["titles"] == ["窓辺の猫"]
    assert said["relaxed"] == "similar"
    assert said["also"] == ["cat", "kitten"]  # 猫 is filed as cat is


async def test_a_word_without_similar_ones_is_looked_for_in_its_category(shelves: Library) -> None:
    said = await found(shelves, "scales")
    assert (said["titles"], said["relaxed"], said["category"]) == (["A carp"], "category", "fish")


async def test_other_words_of_the_query_stay_wanted(shelves: Library) -> None:
    assert (await found(shelves, "meow 窓辺"))["titles"] == ["窓辺の猫"]
    assert (await found(shelves, "meow 庭"))["relaxed"] == "any"


async def test_words_of_the_list_and_words_that_items_have_ask_no_model(shelves: Library) -> None:
    for query in ("猫", "carp", "窓辺"):
        assert (await found(shelves, query))["relaxed"] is None
    assert not [path for path in shelves.neighbours.asked if "similar_words" in path]


async def test_a_slip_of_the_pen_is_put_right_and_that_is_told(shelves: Library) -> None:
    said = await found(shelves, "窓辺のにやんこ")
    assert (said["titles"], said["relaxed"]) == (["窓辺の猫"], "respelt")
    assert said["also"] == ["窓辺の にゃんこ"]


async def test_what_the_model_knows_is_no_slip(shelves: Library) -> None:
    await shelves.publish("A beard")
    assert (await found(shelves, "whiskers"))["titles"] == ["A beard"]


@pytest.mark.parametrize("trouble", ["slow", "default"])
async def test_without_the_model_search_goes_on(shelves: Library, trouble: str) -> None:
    shelves.neighbours.slow = trouble == "slow"
    shelves.neighbours.served_by = "default" if trouble == "default" else "model"
    said = await found(shelves, "kittne")
    assert (said["titles"], said["relaxed"], said["also"]) == (["窓辺の猫"], "respelt", ["kitten"])
    for _ in range(3):
        assert (await found(shelves, "meow"))["results"] == []
    asked = len([path for path in shelves.neighbours.asked if "similar_words" in path])
    await found(shelves, "meow")
    assert len([path for path in shelves.neighbours.asked if "similar_words" in path]) == asked  # left alone by now


async def test_a_later_page_goes_on_in_the_same_words(shelves: Library) -> None:
    for number in range(3):
        await shelves.publish(f"猫 {number}", category="cat")
    first = (await shelves.http.get("/api/search", params={"q": "meow", "limit": 2})).json()
    more = {"q": "meow", "limit": 2, "cursor": first["next"]}
    second = (await shelves.http.get("/api/search", params=more)).json()
    assert len(second["results"]) == 2
    assert second["also"] == first["also"] == ["cat", "kitten"]
    assert not {one["item_id"] for one in first["results"]} & {one["item_id"] for one in second["results"]}
    shelves.neighbours.served_by = "default"
    assert (await shelves.http.get("/api/search", params=more)).status_code == 503
