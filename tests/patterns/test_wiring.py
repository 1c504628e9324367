"""Settings decide which patterns wrap a model; a wrong one is refused at start."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from pydantic import ValidationError

from models.text_violation.contract import contract
from services.chassis.metrics import Metrics
from services.patterns.fallback import FallbackParameters
from services.patterns.prediction_log import NoSpool
from services.prediction import AtOnce, NotLoaded, Predict, Prediction, PredictionRequest
from services.spool.reading import records
from services.spool.writer import Spool
from services.wiring import UnknownPattern, Wiring, WrongOrder, chosen, known, wired, wired_at_once
from tests.conftest import MakeBackends


async def missing(request: PredictionRequest) -> Prediction:
    raise NotLoaded("no version")


@pytest.fixture
def wiring(backends: MakeBackends, tmp_path: Path) -> Wiring:
    return Wiring("text_violation", contract, backends(), Metrics(), patience_seconds=2.0, spool=Spool(tmp_path))


def test_fallback_is_the_default() -> None:
    assert chosen("text_violation") == ["fallback"]


def test_where_there_is_a_spool_every_model_is_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPOOL_DIR", "/spool")
    assert chosen("text_violation") == ["prediction_log", "fallback"]


def test_a_prediction_log_without_a_spool_is_refused(wiring: Wiring, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATTERNS_TEXT_VIOLATION", "prediction_log,fallback")
    with pytest.raises(NoSpool, match="set SPOOL_DIR"):
        wired(missing, replace(wiring, spool=None))


async def test_every_pattern_there_is_can_be_wired(wiring: Wiring, monkeypatch: pytest.MonkeyPatch) -> None:
    first, last = ["prediction_log", "fallback"], ["batching"]
    monkeypatch.setenv("PATTERNS_TEXT_VIOLATION", ",".join(first + sorted(known() - {*first, *last}) + last))
    assert callable(wired(missing, wiring))


def test_an_unknown_pattern_is_refused_by_name(wiring: Wiring, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATTERNS_TEXT_VIOLATION", "fallback,crystal_ball")
    with pytest.raises(UnknownPattern, match=r"PATTERNS_TEXT_VIOLATION: crystal_ball is none of .*fallback"):
        wired(missing, wiring)


async def test_a_model_is_switched_off_by_its_setting(wiring: Wiring, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACTIVATE_TEXT_VIOLATION", "false")
    prediction = await wired(missing, wiring)(PredictionRequest("text_violation", {}))
    assert prediction.reason == "switched_off"


def test_a_setting_that_is_neither_true_nor_false_is_refused(wiring: Wiring, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACTIVATE_TEXT_VIOLATION", "perhaps")
    with pytest.raises(ValidationError):
        wired(missing, wiring)


def test_parameters_carry_the_pattern_and_the_model(wiring: Wiring, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FALLBACK_TEXT_VIOLATION_TIMEOUT_SECONDS", "0.25")
    monkeypatch.setenv("FALLBACK_IMAGE_QUICK_TIMEOUT_SECONDS", "9")
    assert wiring.parameters(FallbackParameters, "fallback").timeout_seconds == 0.25


@pytest.mark.parametrize(
    ("names", "first"),
    [
        ("cache,ab_test", "ab_test"),
        ("circuit_breaker,fallback", "fallback"),
        ("fallback,prediction_log", "prediction_log"),
        ("fallback,batching,ab_test", "batching"),
    ],
)
def test_an_order_that_does_harm_is_refused(
    wiring: Wiring, monkeypatch: pytest.MonkeyPatch, names: str, first: str
) -> None:
    monkeypatch.setenv("PATTERNS_TEXT_VIOLATION", names)
    with pytest.raises(WrongOrder, match=f"PATTERNS_TEXT_VIOLATION: {first} goes "):
        wired(missing, wiring)


def test_one_setting_is_for_every_model_without_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATTERNS", "fallback,circuit_breaker")
    monkeypatch.setenv("PATTERNS_IMAGE_QUICK", "fallback,cache")
    assert chosen("text_violation") == ["fallback", "circuit_breaker"]
    assert chosen("image_quick") == ["fallback", "cache"]


def quick(request: PredictionRequest) -> Prediction:
    return Prediction(request.id, request.model, "7", {"violation": np.ones((request.rows, 3), np.float32)})


def missing_at_once(request: PredictionRequest) -> Prediction:
    raise NotLoaded("no version")


async def later(request: PredictionRequest) -> Prediction:
    return quick(request)


@pytest.mark.parametrize(("source", "at_once"), [(later, quick), (missing, missing_at_once)])
@pytest.mark.parametrize("parameters", [{}, {"over_limit": True}, {"overloaded": True}])
@pytest.mark.parametrize("active", ["true", "false"])
async def test_both_chains_answer_and_log_the_same(
    wiring: Wiring, monkeypatch: pytest.MonkeyPatch, source: Predict, at_once: AtOnce, parameters: Any, active: str
) -> None:
    monkeypatch.setenv("PATTERNS_TEXT_VIOLATION", "prediction_log,fallback")
    monkeypatch.setenv("ACTIVATE_TEXT_VIOLATION", active)
    request = PredictionRequest("text_violation", {"features": np.zeros((2, 4), np.float32)}, parameters=parameters)
    plain = wired_at_once(at_once, wiring)
    assert plain
    answers = [await wired(source, wiring)(request), plain(request)]
    assert replace(answers[0], outputs={}) == replace(answers[1], outputs={})
    np.testing.assert_array_equal(answers[0].outputs["violation"], answers[1].outputs["violation"])
    assert wiring.spool
    first, second = records(wiring.spool.folder)
    assert msgspec.structs.replace(first, at=0, ms=0.0) == msgspec.structs.replace(second, at=0, ms=0.0)


@pytest.mark.parametrize("name", sorted(known() - {"prediction_log", "fallback"}))
def test_around_a_pattern_that_may_wait_nothing_is_answered_at_once(
    wiring: Wiring, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("PATTERNS_TEXT_VIOLATION", f"prediction_log,{name}")
    assert wired_at_once(quick, wiring) is None
