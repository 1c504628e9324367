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
from services.prediction import Predict, Prediction, PredictionRequest
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

    async def answered(request: PredictionRequest) -> Prediction:
        started = timer()
        prediction = await predict(request)
        taken = timer() - started
        try:
            if _large(request):
                line = await asyncio.to_thread(recorded, request, prediction, taken)
            else:
                line = recorded(request, prediction, taken)
            spool.append(line)
        except Exception as error:
            spool.refused("unreadable", repr(error))
        return prediction

    def recorded(request: PredictionRequest, prediction: Prediction, taken: float) -> bytes:
        context, contract = request.context, manifest()
        return encoded(
            {
                "id": prediction.id,
                "at": clock(),
                "model": prediction.model,
                "version": prediction.version,
                "served_by": prediction.served_by,
                "reason": prediction.reason,
                "experiment": prediction.experiment,
                "group": prediction.group,
                "shadow_of": prediction.shadow_of,
                "request_id": context.request_id,
                "subject": context.subject,
                "language": context.language,
                "client": context.client,
                "simulated": context.simulated,
                "rows": request.rows,
                "ms": round(taken * 1000, 4),
                "inputs": kept(request.inputs, contract.inputs, values),
                "outputs": kept(prediction.outputs, contract.outputs, values),
            }
        )

    return answered


def _large(request: PredictionRequest) -> bool:
    return max([array.nbytes for array in request.inputs.values()], default=0) > LARGE_BYTES


def wire(predict: Predict, wiring: Wiring) -> Predict:
    """As settings say; raises NoSpool."""
    if wiring.spool is None:
        raise NoSpool(f"{NoSpool.__doc__} (model {wiring.model})")
    values = wiring.parameters(PredictionLogParameters, "prediction_log").values
    return prediction_log(predict, wiring.spool, wiring.manifest, values=values)
