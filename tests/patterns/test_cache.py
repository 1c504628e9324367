"""Cache: the same question, the same version, not too old."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from services.kept_answers import OVERHEAD_BYTES, Answers
from services.patterns.cache import CACHED, cache, key_of
from services.prediction import Predict, Prediction, PredictionRequest
from tests.patterns.answering import Clock, Model, request


def caching(model: Model, clock: Clock, *, max_bytes: int = 10_000, hits: list[bool] | None = None) -> Predict:
    answers = Answers(60, max_bytes, clock)
    return cache(model, lambda: model.version, answers, (hits if hits is not None else []).append)


async def test_the_same_question_is_answered_from_memory_under_an_id_of_its_own() -> None:
    model, hits = Model(), list[bool]()
    predict = caching(model, Clock(), hits=hits)
    first, again = await predict(request(1)), await predict(second := request(1))
    assert len(model.asked) == 1
    assert (again.id, again.version, again.served_by, again.reason) == (second.id, "7", "model", CACHED)
    np.testing.assert_array_equal(again.outputs["violation"], first.outputs["violation"])
    assert hits == [False, True]


async def test_another_input_is_another_question() -> None:
    model = Model()
    predict = caching(model, Clock())
    for value in (1.0, np.nextafter(np.float32(1), np.float32(2))):
        await predict(request(float(value)))
    assert len(model.asked) == 2


async def test_a_new_version_clears_it() -> None:
    model = Model()
    predict = caching(model, Clock())
    await predict(request(1))
    model.version = "8"
    assert (await predict(request(1))).version == "8"
    assert len(model.asked) == 2


async def test_an_old_answer_is_not_given() -> None:
    model, clock = Model(), Clock()
    predict = caching(model, clock)
    await predict(request(1))
    clock.now += 59.9
    await predict(request(1))
    assert len(model.asked) == 1
    clock.now += 0.2
    await predict(request(1))
    assert len(model.asked) == 2


async def test_the_bytes_are_bounded_and_who_was_asked_for_last_stays() -> None:
    model = Model()
    predict = caching(model, Clock(), max_bytes=2 * (OVERHEAD_BYTES + 12))
    for value in (1, 2, 1, 3, 1, 2):
        await predict(request(value))
    assert len(model.asked) == 4  # 1, 2, 3, and 2 again


async def test_what_is_larger_than_all_of_it_is_not_kept() -> None:
    answers = Answers(60, OVERHEAD_BYTES, Clock())
    answers.keep(b"key", await Model()(request()))
    assert (answers.find(b"key"), answers.size) == (None, 0)


@pytest.mark.parametrize(
    "model", [Model(served_by_default=True), Model(version="8")], ids=["a default", "another version than asked for"]
)
async def test_what_is_never_kept(model: Model) -> None:
    predict = cache(model, lambda: "7", Answers(60, 10_000, Clock()))
    await predict(request(1))
    await predict(request(1))
    assert len(model.asked) == 2


async def test_an_answer_of_an_experiment_is_not_kept() -> None:
    model = Model()

    async def grouped(asked: PredictionRequest) -> Prediction:
        return replace(await model(asked), group="challenger")

    predict = cache(grouped, lambda: "7", Answers(60, 10_000, Clock()))
    await predict(request(1))
    await predict(request(1))
    assert len(model.asked) == 2


async def test_while_nothing_is_loaded_nothing_is_looked_for() -> None:
    model = Model()
    predict = cache(model, lambda: None, Answers(60, 10_000, Clock()))
    await predict(request(1))
    await predict(request(1))
    assert len(model.asked) == 2


def test_the_key_holds_model_version_names_types_shapes_and_bytes() -> None:
    def key(model: str, version: str, **inputs: NDArray[Any]) -> bytes:
        return key_of(version, PredictionRequest(model, inputs))

    zeros = np.zeros((2, 2), np.float32)
    keys = [
        key("a", "1", x=zeros),
        key("b", "1", x=zeros),
        key("a", "2", x=zeros),
        key("a", "1", y=zeros),
        key("a", "1", x=zeros.reshape(1, 4)),
        key("a", "1", x=zeros.astype(np.int32)),
        key("a", "1", x=-zeros),
        key("a", "1", x=np.array([b"ab", b"c"], object)),
        key("a", "1", x=np.array([b"a", b"bc"], object)),
    ]
    assert len(set(keys)) == len(keys)
    texts = [np.array([b"ab", bytes([99])], object) for _ in range(2)]
    assert key("a", "1", x=texts[0]) == key("a", "1", x=texts[1])
