"""Prediction log: every answer is written down before it is given, with who asked what and which version answered.

Without it there is no monitoring, no comparison of models, and nothing to learn from. The record goes to the
process's spool (services/spool) and from there to the broker; defaults are marked and nothing is learned from them.
"""

import asyncio
import time
from collections.abc import Callable
from time import perf_counter

from pydantic import Field
from pydantic_settings import BaseSettings

from models.contract import Manifest
from services.prediction import AtOnce, Predict, Prediction, PredictionRequest
from services.spool.record import encoded
from services.spool.tensors import kept
from services.spool.writer import Spool
from services.wiring import Wiring

LARGE_BYTES = 256 * 1024
"""Hashing more than this is not done between other requests."""


class PredictionLogParameters(BaseSettings):
    """Parameters of the pattern."""

    values: int = Field(64, ge=0, description="A tensor with more values is logged by its hash or its best labels.")


class NoSpool(Exception):
    """The prediction log has no folder to write to: set SPOOL_DIR, or leave prediction_log out."""


class Records:
    """Makes the records of one model's predictions and keeps them. What cannot be kept is counted."""

    def __init__(
        self, spool: Spool, manifest: Callable[[], Manifest], values: int, clock: Callable[[], int] = time.time_ns
    ) -> None:
        self._spool, self._manifest, self._values, self._clock = spool, manifest, values, clock

    def keep(self, request: PredictionRequest, prediction: Prediction, taken: float) -> None:
        """Now; never raises."""
        try:
            self._spool.append(self._line(request, prediction, taken))
        except Exception as error:
            self._spool.refused("unreadable", repr(error))

    async def keep_large(self, request: PredictionRequest, prediction: Prediction, taken: float) -> None:
        """The same for tensors whose hash takes a while."""
        try:
            self._spool.append(await asyncio.to_thread(self._line, request, prediction, taken))
        except Exception as error:
            self._spool.refused("unreadable", repr(error))

    def _line(self, request: PredictionRequest, prediction: Prediction, taken: float) -> bytes:
        context, contract, values = request.context, self._manifest(), self._values
        fields = {
            "id": prediction.id,
            "at": self._clock(),
            "model": prediction.model,
            "version": prediction.version,
            "served_by": prediction.served_by,
            "rows": request.rows,
            "ms": round(taken * 1000, 4),
            "inputs": kept(request.inputs, contract.inputs, values),
            "outputs": kept(prediction.outputs, contract.outputs, values),
        }
        # What is empty is left out: it would be a third of the line, and is empty when it is read.
        if context.request_id:
            fields["request_id"] = context.request_id
        if context.subject:
            fields["subject"] = context.subject
        if context.simulated:
            fields["simulated"] = True
        if context.language:
            fields["language"] = context.language
        if context.client:
            fields["client"] = context.client
        if prediction.reason:
            fields["reason"] = prediction.reason
        if prediction.experiment:
            fields["experiment"] = prediction.experiment
        if prediction.group:
            fields["group"] = prediction.group
        if prediction.shadow_of:
            fields["shadow_of"] = prediction.shadow_of
        return encoded(fields)


def prediction_log(
    predict: Predict,
    spool: Spool,
    manifest: Callable[[], Manifest],
    *,
    values: int,
    clock: Callable[[], int] = time.time_ns,
    timer: Callable[[], float] = perf_counter,
) -> Predict:
    """The same, logged. What cannot be logged is counted, and answered all the same."""
    records = Records(spool, manifest, values, clock)

    async def answered(request: PredictionRequest) -> Prediction:
        started = timer()
        prediction = await predict(request)
        taken = timer() - started
        if _large(request):
            await records.keep_large(request, prediction, taken)
        else:
            records.keep(request, prediction, taken)
        return prediction

    return answered


def prediction_log_at_once(predict: AtOnce, records: Records) -> AtOnce:
    """The same for small requests."""

    def answered(request: PredictionRequest) -> Prediction:
        started = perf_counter()
        prediction = predict(request)
        records.keep(request, prediction, perf_counter() - started)
        return prediction

    return answered


def _large(request: PredictionRequest) -> bool:
    return max([array.nbytes for array in request.inputs.values()], default=0) > LARGE_BYTES


def wire(predict: Predict, wiring: Wiring) -> Predict:
    """As settings say; raises NoSpool."""
    return prediction_log(predict, _spool(wiring), wiring.manifest, values=_values(wiring))


def wire_at_once(predict: AtOnce, wiring: Wiring) -> AtOnce:
    """As settings say; raises NoSpool."""
    return prediction_log_at_once(predict, Records(_spool(wiring), wiring.manifest, _values(wiring)))


def _spool(wiring: Wiring) -> Spool:
    if wiring.spool is None:
        raise NoSpool(f"{NoSpool.__doc__} (model {wiring.model})")
    return wiring.spool


def _values(wiring: Wiring) -> int:
    return wiring.parameters(PredictionLogParameters, "prediction_log").values
