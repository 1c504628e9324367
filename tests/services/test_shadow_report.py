"""The shadow's report: agreement, differences of scores, latency, from records of the prediction log."""

from pathlib import Path
from uuid import UUID

import numpy as np
import pytest

from models.text_violation.contract import contract
from services.chassis.ids import new_id
from services.patterns.prediction_log import prediction_log
from services.patterns.shadow import marked, shadow
from services.shadow_report import compared, main
from services.spool.record import PredictionRecord, Tensor
from services.spool.writer import Spool
from tests.patterns.answering import Model, request
from tests.patterns.test_shadow import settled


def record(
    chances: list[float], *, shadow_of: UUID | None = None, ms: float = 1.0, by: str = "model"
) -> PredictionRecord:
    tensor = Tensor(datatype="FP32", shape=[1, len(chances)], data=chances)
    version = "2" if shadow_of else "1"
    return PredictionRecord(
        id=new_id(),
        at=0,
        model="m",
        version=version,
        served_by=by,
        shadow_of=shadow_of,
        ms=ms,
        outputs={"label": tensor},
    )


def test_agreement_scores_and_latency() -> None:
    given = [record([0.9, 0.1], ms=2.0), record([0.2, 0.8], ms=4.0)]
    copies = [record([0.7, 0.3], shadow_of=given[0].id, ms=3.0), record([0.6, 0.4], shadow_of=given[1].id, ms=5.0)]
    (report,) = compared([*given, *copies])
    assert (report.model, report.version, report.candidate, report.pairs) == ("m", "1", "2", 2)
    label = report.outputs["label"]
    assert label.agreement == 0.5
    np.testing.assert_allclose(sorted(label.differences), [0.2, 0.2])
    assert (report.given_ms, report.candidate_ms) == ([2.0, 4.0], [3.0, 5.0])


def test_large_outputs_are_compared_by_their_best_label() -> None:
    given = record([1.0])
    top = {"label": Tensor(datatype="FP32", shape=[1, 99], top=[[["cat", 0.8], ["dog", 0.1]]])}
    other = {"label": Tensor(datatype="FP32", shape=[1, 99], top=[[["dog", 0.5], ["cat", 0.4]]])}
    both = [
        PredictionRecord(id=given.id, at=0, model="m", version="1", served_by="model", outputs=top),
        PredictionRecord(
            id=new_id(), at=0, model="m", version="2", served_by="model", shadow_of=given.id, outputs=other
        ),
    ]
    (report,) = compared(both)
    assert report.outputs["label"].agreement == 0


def test_defaults_strangers_and_repetitions_do_not_count() -> None:
    given, default = record([1.0, 0.0]), record([1.0, 0.0], by="default")
    copy = record([1.0, 0.0], shadow_of=given.id)
    strangers = [record([1.0, 0.0], shadow_of=default.id), record([1.0, 0.0], shadow_of=new_id())]
    (report,) = compared([given, given, default, copy, copy, *strangers])
    assert report.pairs == 1


async def test_from_the_pattern_to_the_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spool = Spool(tmp_path)
    candidate = prediction_log(marked(Model("8", 0.5)), spool, contract, values=64)
    predict = prediction_log(shadow(Model("7", 1.0), candidate, most_running=9), spool, contract, values=64)
    for value in range(5):
        await predict(request(value))
    await settled()
    assert main(["text_violation", "--spool", str(tmp_path)]) == 0
    table = capsys.readouterr().out
    assert "version 7 answered, version 8 was the shadow" in table
    assert "0.5000" in table


def test_nothing_to_compare_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--spool", str(tmp_path)]) == 1
    assert "no request" in capsys.readouterr().err
