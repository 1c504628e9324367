"""Horizontal: several predictors are asked at once, and what has arrived by the deadline is the answer."""

import asyncio
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from pydantic_settings import BaseSettings

from services.patterns.fallback import callers_fault
from services.prediction import Predict, Prediction, PredictionRequest
from services.wiring import Wiring

PARTIAL = "partial"
"""Reason of an answer that not all of those asked are in."""


class HorizontalParameters(BaseSettings):
    """Parameters of the pattern."""

    others: str = Field(
        "challenger", description="Who is asked besides: aliases of the registry or addresses, comma-separated."
    )
    deadline_seconds: float | None = Field(
        None, gt=0, description="Who is later is not in the answer; half of the host's limit if unset."
    )


def horizontal(predictors: Sequence[Predict], *, deadline_seconds: float) -> Predict:
    """The mean of what arrived, marked partial where somebody is missing; with nothing, an error."""

    async def answered(request: PredictionRequest) -> Prediction:
        tasks: list[asyncio.Future[Prediction]] = [asyncio.ensure_future(predict(request)) for predict in predictors]
        try:
            await asyncio.wait(tasks, timeout=deadline_seconds)
        finally:
            for task in tasks:
                task.cancel()
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        return together(request, outcomes)

    return answered


def together(request: PredictionRequest, outcomes: Sequence[Prediction | BaseException]) -> Prediction:
    """One prediction of several; raises what went wrong if there is none, and always what the caller did wrong."""
    errors = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    for error in errors:
        if callers_fault(error):
            raise error
    arrived = [o for o in outcomes if isinstance(o, Prediction) and o.served_by == "model"]
    if not arrived:
        failed = [error for error in errors if not isinstance(error, asyncio.CancelledError)]
        raise failed[0] if failed else TimeoutError("nobody has answered by the deadline")
    versions = "+".join(sorted({prediction.version for prediction in arrived}))
    outputs = {name: _mean([p.outputs[name] for p in arrived]) for name in arrived[0].outputs}
    reason = None if len(arrived) == len(outcomes) else PARTIAL
    return Prediction(request.id, request.model, versions, outputs, reason=reason)


def _mean(arrays: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Of numbers with a fraction; of anything else, the first."""
    if len(arrays) == 1 or arrays[0].dtype.kind != "f":
        return arrays[0]
    return np.mean(arrays, axis=0, dtype=np.float64).astype(arrays[0].dtype)


def wire(predict: Predict, wiring: Wiring) -> Predict:
    """As settings say."""
    parameters = wiring.parameters(HorizontalParameters, "horizontal")
    names = [name.strip() for name in parameters.others.split(",") if name.strip()]
    deadline = parameters.deadline_seconds or wiring.patience_seconds / 2
    return horizontal([predict, *(wiring.other(name) for name in names)], deadline_seconds=deadline)
