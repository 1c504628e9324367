"""Shadow: send the candidate a copy of the traffic; the caller never waits for it, and never sees its answer.

What the candidate answered is in the prediction log, naming the prediction that was given: `scripts/shadow-report`.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace

from prometheus_client import Counter
from pydantic import Field
from pydantic_settings import BaseSettings

from services.chassis.ids import new_id
from services.prediction import Predict, Prediction, PredictionRequest
from services.wiring import Wiring

CLIENT = "shadow"
"""Who asks for a copy; copies are not copied."""
log = logging.getLogger(__name__)


class ShadowParameters(BaseSettings):
    """Parameters of the pattern."""

    candidate: str = Field("challenger", description="An alias in the registry, or another host's address.")
    most_running: int = Field(2, ge=1, description="Copies on their way at once; beyond, a request is not copied.")


def shadow(
    predict: Predict, candidate: Predict, *, most_running: int, ended: Callable[[str], None] = lambda outcome: None
) -> Predict:
    """The copy leaves when the answer is there, so that it takes nothing from it."""
    running: set[asyncio.Task[None]] = set()  # asyncio itself keeps only weak references

    async def answered(request: PredictionRequest) -> Prediction:
        prediction = await predict(request)
        if request.context.client == CLIENT or prediction.served_by == "default":
            return prediction  # a copy, from a host that is its own shadow; or nothing to compare with
        if len(running) >= most_running:
            ended("dropped")
        else:
            task = asyncio.create_task(copy(replace(request, id=new_id()), prediction))
            running.add(task)
            task.add_done_callback(running.discard)
        return prediction

    async def copy(request: PredictionRequest, answer: Prediction) -> None:
        try:
            context = replace(request.context, client=CLIENT)
            await candidate(replace(request, parameters={SHADOW_OF: answer.id}, context=context))
            ended("done")
        except Exception as error:
            log.warning("the candidate failed: %r", error, extra={"action": "shadow.failed"})
            ended("failed")

    return answered


SHADOW_OF = "shadow_of"


def marked(candidate: Predict) -> Predict:
    """The candidate's predictions name the one that was given."""

    async def answered(request: PredictionRequest) -> Prediction:
        prediction = await candidate(replace(request, parameters={}))
        return replace(prediction, id=request.id, shadow_of=request.parameters[SHADOW_OF], group="candidate")

    return answered


def wire(predict: Predict, wiring: Wiring) -> Predict:
    """As settings say."""
    parameters = wiring.parameters(ShadowParameters, "shadow")
    total = wiring.metrics.made(
        Counter, "shadow_copies_total", "Copies of requests: done, failed, dropped.", ["model", "outcome"]
    )
    return shadow(
        predict,
        wiring.logged(marked(wiring.other(parameters.candidate))),
        most_running=parameters.most_running,
        ended=lambda outcome: total.labels(wiring.model, outcome).inc(),
    )
