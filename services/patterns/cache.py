"""Cache: the same question is answered from memory, as long as the same version serves and the answer is not old.

A new version clears it by construction: the version is part of the key.
"""

import hashlib
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from prometheus_client import Counter
from pydantic import Field
from pydantic_settings import BaseSettings

from services.kept_answers import Answers
from services.prediction import Predict, Prediction, PredictionRequest
from services.wiring import Wiring

CACHED = "cached"
"""Reason of an answer that was given before."""


class CacheParameters(BaseSettings):
    """Parameters of the pattern."""

    ttl_seconds: float = Field(300, gt=0, description="An older answer is not given again.")
    max_bytes: int = Field(16 * 1024 * 1024, gt=0, description="Memory that the answers may take.")


def cache(
    predict: Predict, version: Callable[[], str | None], answers: Answers, asked: Callable[[bool], object] = bool
) -> Predict:
    """Answers of the model itself are kept; defaults and answers of an experiment never are."""

    async def answered(request: PredictionRequest) -> Prediction:
        serving = version()
        if serving is None:
            return await predict(request)
        key = key_of(serving, request)
        found = answers.find(key)
        asked(found is not None)
        if found:
            return replace(found, id=request.id, reason=CACHED)
        prediction = await predict(request)
        if prediction.served_by == "model" and prediction.version == serving and prediction.group is None:
            answers.keep(key, prediction)
        return prediction

    return answered


def key_of(version: str, request: PredictionRequest) -> bytes:
    """The model, its version and the exact bytes of the input."""
    key = hashlib.blake2b(f"{request.model}\0{version}".encode(), digest_size=20)
    for name, array in sorted(request.inputs.items()):
        key.update(f"\0{name}\0{array.dtype.str}\0{array.shape}\0".encode())
        if array.dtype.kind == "O":
            for value in array.ravel():
                key.update(len(value).to_bytes(8) + value)
        else:
            key.update(np.ascontiguousarray(array).data)
    return key.digest()


def wire(predict: Predict, wiring: Wiring) -> Predict:
    """As settings say."""
    parameters = wiring.parameters(CacheParameters, "cache")
    total = wiring.metrics.made(Counter, "cache_asked_total", "Questions to the cache.", ["model", "found"])
    hit, missed = total.labels(wiring.model, "yes"), total.labels(wiring.model, "no")

    def asked(found: bool) -> None:
        (hit if found else missed).inc()

    answers = Answers(parameters.ttl_seconds, parameters.max_bytes, time.monotonic)
    return cache(predict, wiring.version, answers, asked)
