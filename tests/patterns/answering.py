"""Models for tests of patterns: one that answers, one that fails, one that is late."""

import asyncio
from dataclasses import dataclass, field
from uuid import UUID

import numpy as np

from services.prediction import Context, Prediction, PredictionRequest


@dataclass
class Model:
    """Answers with its version, after some time, unless it is told to fail; counts who asked."""

    version: str = "7"
    value: float = 1.0
    seconds: float = 0.0
    error: Exception | None = None
    served_by_default: bool = False
    asked: list[UUID] = field(default_factory=list)

    async def __call__(self, request: PredictionRequest) -> Prediction:
        self.asked.append(request.id)
        if self.seconds:
            await asyncio.sleep(self.seconds)
        if self.error:
            raise self.error
        outputs = {"violation": np.full((request.rows, 3), self.value, np.float32)}
        served_by = "default" if self.served_by_default else "model"
        return Prediction(request.id, request.model, self.version, outputs, served_by)  # type: ignore[arg-type]


def request(value: float = 0.0, *, subject: str = "", language: str = "", client: str = "") -> PredictionRequest:
    """One row of features, asked by somebody."""
    context = Context(subject=subject, language=language, client=client)
    return PredictionRequest("text_violation", {"features": np.full((1, 4), value, np.float32)}, context=context)


class Clock:
    """A clock that tests turn."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now
