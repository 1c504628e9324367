"""Fallback: when the model fails, is late, is not there or is switched off, the declared default answers."""

import logging
from collections.abc import Callable

import numpy as np
from pydantic import Field
from pydantic_settings import BaseSettings

from models.contract import DTYPES, Manifest
from models.refusal import ContractBroken
from services.chassis.errors import Problem
from services.patience import within
from services.prediction import (
    DEFAULT_VERSION,
    OVER_LIMIT,
    OVERLOADED,
    AtOnce,
    Predict,
    Prediction,
    PredictionRequest,
)
from services.wiring import Wiring

log = logging.getLogger(__name__)


class FallbackParameters(BaseSettings):
    """Parameters of the pattern."""

    timeout_seconds: float | None = Field(
        None, gt=0, description="A later answer is the default's; the host's if unset."
    )


def fallback(
    predict: Predict, manifest: Callable[[], Manifest], *, timeout_seconds: float, active: bool = True
) -> Predict:
    """Always an answer, marked with who gave it and why. A request that breaks the contract stays an error."""

    async def answered(request: PredictionRequest) -> Prediction:
        reason = _unasked(request, active)
        if not reason:
            try:
                return await within(timeout_seconds, predict(request))
            except Exception as error:
                reason = _reason(error)
        return default_answer(manifest(), request, reason)

    return answered


def fallback_at_once(predict: AtOnce, manifest: Callable[[], Manifest], *, active: bool = True) -> AtOnce:
    """The same where nobody can be late."""

    def answered(request: PredictionRequest) -> Prediction:
        reason = _unasked(request, active)
        if not reason:
            try:
                return predict(request)
            except Exception as error:
                reason = _reason(error)
        return default_answer(manifest(), request, reason)

    return answered


def _unasked(request: PredictionRequest, active: bool) -> str:
    """Why the model is not even asked; empty if it is."""
    if not active:
        return "switched_off"
    given = request.parameters
    return next((reason for reason in (OVER_LIMIT, OVERLOADED) if given.get(reason)), "") if given else ""


def default_answer(manifest: Manifest, request: PredictionRequest, reason: str) -> Prediction:
    """The declared default, once for each row."""
    outputs = {
        spec.name: np.repeat(np.asarray([manifest.default[spec.name]], DTYPES[spec.datatype]), request.rows, axis=0)
        for spec in manifest.outputs
    }
    return Prediction(request.id, request.model, DEFAULT_VERSION, outputs, "default", reason)


def wire(predict: Predict, wiring: Wiring) -> Predict:
    """As settings say."""
    timeout = wiring.parameters(FallbackParameters, "fallback").timeout_seconds or wiring.patience_seconds
    return fallback(predict, wiring.manifest, timeout_seconds=timeout, active=wiring.active)


def wire_at_once(predict: AtOnce, wiring: Wiring) -> AtOnce:
    """As settings say."""
    return fallback_at_once(predict, wiring.manifest, active=wiring.active)


def callers_fault(error: BaseException) -> bool:
    """Whether another predictor would refuse the request just the same."""
    return isinstance(error, ContractBroken) or (isinstance(error, Problem) and error.status < 500)


def _reason(error: Exception) -> str:
    """Why the default answers; the caller's own mistakes are raised again."""
    if callers_fault(error):
        raise error
    if isinstance(error, TimeoutError):
        return "timeout"
    if reason := getattr(error, "reason", ""):
        return str(reason)
    log.warning("the default answers: %r", error, extra={"action": "prediction.failed"})
    return "error"
