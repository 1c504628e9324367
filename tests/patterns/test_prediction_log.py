"""Every answer is in the log before it is given; what was asked is kept small and without raw texts."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from models.contract import Manifest, TensorSpec
from models.refusal import ContractBroken
from models.text_violation.contract import contract
from services.patterns.fallback import fallback
from services.patterns.prediction_log import prediction_log
from services.prediction import Context, NotLoaded, Predict, Prediction, PredictionRequest
from services.spool.reading import for_training, once, records
from services.spool.record import PredictionRecord
from services.spool.segments import OPEN, segments
from services.spool.writer import Spool
from tests.patterns.answering import Model, request

MANIFEST = contract()
Logged = Callable[..., Predict]


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path)


@pytest.fixture
def logged(spool: Spool) -> Logged:
    times, now = iter([10.0, 10.0125] * 100), 1_700_000_000_000_000_000

    def made(predict: Predict, manifest: Manifest = MANIFEST, values: int = 64) -> Predict:
        return prediction_log(
            predict,
            spool,
            lambda: manifest,
            values=values,
            clock=lambda: now,
            timer=times.__next__,
        )

    return made


def only(spool: Spool) -> PredictionRecord:
    (record,) = records(spool.folder)
    return record


async def test_a_record_says_who_was_answered_what_by_whom(spool: Spool, logged: Logged) -> None:
    asked = replace(
        request(0.5), context=Context("r-1", "0190-subject", "ja", "phone", simulated=True), parameters={"secret": "x"}
    )
    answer = await logged(Model(version="7", value=0.25))(asked)
    record = only(spool)
    assert record.id == answer.id == asked.id
    assert (record.at, record.ms) == (1_700_000_000_000_000_000, 12.5)
    assert (record.model, record.version, record.served_by, record.reason) == ("text_violation", "7", "model", None)
    assert (record.request_id, record.subject, record.language, record.client) == ("r-1", "0190-subject", "ja", "phone")
    assert record.simulated
    assert (record.inputs["features"].datatype, record.inputs["features"].shape) == ("FP32", [1, 4])
    assert record.inputs["features"].data == [0.5] * 4
    assert record.outputs["violation"].data == [0.25] * 3


async def test_the_record_is_there_before_the_answer_is_given(spool: Spool, logged: Logged) -> None:
    for number in range(1, 4):
        await logged(Model())(request())
        assert len(list(records(spool.folder))) == number


async def test_the_fields_written_are_those_that_are_read(spool: Spool, logged: Logged) -> None:
    context = Context("r-1", "0190-subject", "ja", "phone", simulated=True)

    async def chosen(asked: PredictionRequest) -> Prediction:
        return replace(await Model()(asked), group="a", experiment="e", shadow_of=uuid4(), reason="cached")

    await logged(chosen)(replace(request(), context=context))
    (path,) = segments(spool.folder, OPEN)
    written = msgspec.json.decode(path.read_bytes())
    assert written.keys() == {field.name for field in msgspec.structs.fields(PredictionRecord)}


async def test_what_is_empty_is_not_written_and_empty_when_it_is_read(spool: Spool, logged: Logged) -> None:
    await logged(Model())(request())
    (path,) = segments(spool.folder, OPEN)
    assert not {"reason", "subject", "simulated", "group"} & msgspec.json.decode(path.read_bytes()).keys()
    record = only(spool)
    assert (record.reason, record.subject, record.simulated, record.group) == (None, "", False, None)


async def test_experiment_group_and_shadow_are_kept(spool: Spool, logged: Logged) -> None:
    other = uuid4()

    async def chosen(asked: PredictionRequest) -> Prediction:
        answer = await Model()(asked)
        return replace(answer, group="challenger", experiment="text_violation", shadow_of=other, reason="cached")

    await logged(chosen)(request())
    record = only(spool)
    assert (record.group, record.experiment, record.shadow_of) == ("challenger", "text_violation", other)
    assert record.cached


async def test_a_large_input_is_kept_as_its_hash(spool: Spool, logged: Logged) -> None:
    features = np.random.default_rng(1).random((1, 16384), np.float32)
    await logged(Model())(PredictionRequest("text_violation", {"features": features}))
    kept = only(spool).inputs["features"]
    assert (kept.data, kept.shape) == (None, [1, 16384])
    assert kept.sha256 == hashlib.sha256(features.tobytes()).hexdigest()


async def test_a_large_output_with_labels_is_kept_as_its_best(spool: Spool, logged: Logged) -> None:
    scores = np.zeros((30, 3), np.float32)
    scores[:, 1], scores[:, 2] = 0.75, 0.25
    labels = MANIFEST.output("violation").labels
    assert labels

    async def model(asked: PredictionRequest) -> Prediction:
        return Prediction(
            asked.id, asked.model, "7", {"violation": scores, "embedding": np.ones((30, 128), np.float32)}
        )

    await logged(model)(request())
    outputs = only(spool).outputs
    assert outputs["violation"].top == [[[labels[1], 0.75], [labels[2], 0.25], [labels[0], 0.0]]] * 30
    assert outputs["embedding"].data is None
    assert outputs["embedding"].sha256


async def test_a_text_is_never_kept_as_it_is(spool: Spool, logged: Logged) -> None:
    text = np.array([b"call me at 090-0000-0000"], object)
    takes_text = MANIFEST.model_copy(
        update={"inputs": (TensorSpec(name="text", datatype="BYTES", shape=(-1,), meaning="a text"),)}
    )
    await logged(Model(), takes_text)(PredictionRequest("text_violation", {"text": text}))
    (path,) = segments(spool.folder, OPEN)
    assert b"090" not in path.read_bytes()
    assert only(spool).inputs["text"].datatype == "BYTES"


async def test_how_much_is_kept_is_a_parameter(spool: Spool, logged: Logged) -> None:
    await logged(Model(), values=3)(request())
    assert only(spool).inputs["features"].data is None
    assert only(spool).outputs["violation"].data is not None


@pytest.mark.parametrize("array", [np.ones((4, 2), np.float32).T, np.ones((2, 600, 600), np.uint8)])
async def test_any_layout_and_size_is_logged(spool: Spool, logged: Logged, array: NDArray[Any]) -> None:
    await logged(Model())(PredictionRequest("text_violation", {"features": array}))
    assert only(spool).rows == 2
    assert not spool.lost


async def test_what_cannot_be_written_down_is_counted_and_answered(spool: Spool, logged: Logged) -> None:
    async def strange(asked: PredictionRequest) -> Prediction:
        return replace(await Model()(asked), version=object())  # type: ignore[arg-type]

    assert (await logged(strange)(request())).served_by == "model"
    assert spool.lost == {"unreadable": 1}


async def test_what_was_refused_is_no_prediction(spool: Spool, logged: Logged) -> None:
    with pytest.raises(ContractBroken):
        await logged(Model(error=ContractBroken("inputs", "wrong", "right")))(request())
    assert list(records(spool.folder)) == []


async def test_defaults_are_logged_as_such_and_nothing_is_learned_from_them(spool: Spool, logged: Logged) -> None:
    missing = fallback(Model(error=NotLoaded("no version")), lambda: MANIFEST, timeout_seconds=2.0)
    default = await logged(missing)(request())
    own = await logged(Model())(request())
    found = {record.id: record for record in records(spool.folder)}
    assert (found[default.id].served_by, found[default.id].reason) == ("default", "not_loaded")
    assert [record.id for record in for_training(found.values())] == [own.id]


async def test_a_candidate_s_copies_teach_nothing_and_nothing_is_read_twice(spool: Spool, logged: Logged) -> None:
    own = await logged(Model())(request())

    async def candidate(asked: PredictionRequest) -> Prediction:
        return replace(await Model()(asked), shadow_of=own.id)

    await logged(candidate)(request())
    found = list(records(spool.folder))
    assert len(found) == 2
    assert [record.id for record in for_training(found * 2)] == [own.id]
    assert list(once(found * 2)) == found
