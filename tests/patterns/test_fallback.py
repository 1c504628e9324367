"""Fallback: always an answer, marked with who gave it and why."""

import asyncio

import numpy as np
import pytest

from models.refusal import ContractBroken
from models.text_violation.contract import contract
from services.chassis.errors import NotFound
from services.patterns.fallback import fallback
from services.prediction import (
    OVER_LIMIT,
    OVERLOADED,
    CircuitOpen,
    NotLoaded,
    OverLimit,
    Overloaded,
    Prediction,
    PredictionRequest,
)
from tests.patterns.virtual_time import in_virtual_time

MANIFEST = contract()
INPUTS = {"features": np.zeros((3, 8), np.float32)}
REQUEST = PredictionRequest("text_violation", INPUTS)


async def model(request: PredictionRequest) -> Prediction:
    return Prediction(request.id, request.model, "7", {"violation": np.ones((3, 3), np.float32)})


def answered_after(seconds: float) -> Prediction:
    async def slow(request: PredictionRequest) -> Prediction:
        await asyncio.sleep(seconds)
        return await model(request)

    return in_virtual_time(fallback(slow, lambda: MANIFEST, timeout_seconds=2.0)(REQUEST))  # type: ignore[arg-type]


async def answered_despite(error: Exception) -> Prediction:
    async def failing(request: PredictionRequest) -> Prediction:
        raise error

    return await fallback(failing, lambda: MANIFEST, timeout_seconds=2.0)(REQUEST)


async def test_a_model_that_works_answers_itself() -> None:
    prediction = await fallback(model, lambda: MANIFEST, timeout_seconds=2.0)(REQUEST)
    assert (prediction.served_by, prediction.version, prediction.reason) == ("model", "7", None)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (NotLoaded("no version"), "not_loaded"),
        (Overloaded("64 wait"), "overloaded"),
        (OverLimit("300 a second"), "over_limit"),
        (CircuitOpen("5 failures"), "circuit_open"),
        (ValueError("the session broke"), "error"),
    ],
)
async def test_a_model_that_fails_is_answered_for_by_the_default(error: Exception, reason: str) -> None:
    prediction = await answered_despite(error)
    assert (prediction.served_by, prediction.version, prediction.reason) == ("default", "default", reason)
    assert prediction.id == REQUEST.id
    np.testing.assert_array_equal(prediction.outputs["violation"], [MANIFEST.default["violation"]] * 3)
    assert prediction.outputs["violation"].dtype == np.float32


def test_a_late_model_is_answered_for_by_the_default() -> None:
    assert answered_after(1.99).served_by == "model"
    late = answered_after(2.01)
    assert (late.served_by, late.reason) == ("default", "timeout")


@pytest.mark.parametrize("error", [ContractBroken("inputs.x", "missing", "one"), NotFound("no such version")])
async def test_what_the_caller_did_wrong_stays_an_error(error: Exception) -> None:
    with pytest.raises(type(error)):
        await answered_despite(error)


async def test_a_model_that_is_switched_off_is_not_asked() -> None:
    async def asked(request: PredictionRequest) -> Prediction:
        raise AssertionError("the model was asked")

    off = await fallback(asked, lambda: MANIFEST, timeout_seconds=2.0, active=False)(REQUEST)
    assert (off.served_by, off.reason) == ("default", "switched_off")


@pytest.mark.parametrize("reason", [OVER_LIMIT, OVERLOADED])
async def test_over_the_limit_the_default_answers_at_once_and_without_tensors(reason: str) -> None:
    request = PredictionRequest("text_violation", {}, parameters={reason: True})
    prediction = await fallback(model, lambda: MANIFEST, timeout_seconds=2.0)(request)
    assert (prediction.served_by, prediction.reason) == ("default", reason)
    assert prediction.outputs["violation"].shape == (1, 3)
