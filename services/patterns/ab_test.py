"""A/B test: a share of the users is answered by the challenger, each user always by the same one.

Who was in which group is in the prediction log, and so a verdict can be drawn from what the users did.
"""

import asyncio
import hashlib
import logging
from collections.abc import Callable
from dataclasses import replace

from prometheus_client import Counter
from pydantic import Field
from pydantic_settings import BaseSettings

from services.patterns.fallback import callers_fault
from services.prediction import NotLoaded, Predict, Prediction, PredictionRequest
from services.wiring import Wiring

log = logging.getLogger(__name__)
CHAMPION, CHALLENGER = "champion", "challenger"
CHALLENGER_FAILED = "challenger_failed"
"""Reason of an answer that the champion gave for the challenger."""


class AbTestParameters(BaseSettings):
    """Parameters of the pattern."""

    share: float = Field(0.1, ge=0, le=1, description="Part of the users whom the challenger answers, 0 to 1.")
    challenger: str = Field("challenger", description="The alias in the registry, or another host's address.")
    experiment: str = Field("", description="Another name shuffles the users anew; the model's name if unset.")
    timeout_seconds: float | None = Field(
        None, gt=0, description="A later challenger is answered for by the champion; half of the host's if unset."
    )


def ab_test(
    champion: Predict,
    challenger: Predict,
    *,
    experiment: str,
    share: float,
    timeout_seconds: float,
    exposed: Callable[[str, str], None] = lambda group, answered_by: None,
) -> Predict:
    """Users without a name are in no group. A challenger that fails is answered for by the champion."""

    async def answered(request: PredictionRequest) -> Prediction:
        group = group_of(experiment, request.context.subject, share)
        if group is None:
            return await champion(request)
        prediction = await _challenger(request) if group == CHALLENGER else await champion(request)
        prediction = prediction or replace(await champion(request), reason=CHALLENGER_FAILED)
        exposed(group, CHAMPION if prediction.reason == CHALLENGER_FAILED else group)
        return replace(prediction, group=group, experiment=experiment)

    async def _challenger(request: PredictionRequest) -> Prediction | None:
        try:
            async with asyncio.timeout(timeout_seconds):
                prediction = await challenger(request)
            return prediction if prediction.served_by == "model" else None
        except Exception as error:
            if callers_fault(error):
                raise
            if not isinstance(error, NotLoaded):
                log.warning("the champion answers: %r", error, extra={"action": "challenger.failed"})
            return None

    return answered


def group_of(experiment: str, subject: str, share: float) -> str | None:
    """The group of a user: the same today and tomorrow, on this replica and on the next."""
    if not subject:
        return None
    place = int.from_bytes(hashlib.sha256(f"{experiment}\0{subject}".encode()).digest()[:8]) / 2**64
    return CHALLENGER if place < share else CHAMPION


def wire(predict: Predict, wiring: Wiring) -> Predict:
    """As settings say."""
    parameters = wiring.parameters(AbTestParameters, "ab_test")
    experiment = parameters.experiment or wiring.model
    total = wiring.metrics.made(
        Counter, "ab_test_exposures_total", "Answers to users of an experiment.", ["experiment", "group", "answered_by"]
    )
    return ab_test(
        predict,
        wiring.other(parameters.challenger),
        experiment=experiment,
        share=parameters.share,
        timeout_seconds=parameters.timeout_seconds or wiring.patience_seconds / 2,
        exposed=lambda group, answered_by: total.labels(experiment, group, answered_by).inc(),
    )
