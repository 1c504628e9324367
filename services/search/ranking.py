"""Orders what was found by a model that another host runs; the order it was found in is the default.

A user is always in the same group of the experiment (`default` or `ranker`); who is not signed in is in
none. What the model was given is kept beside each result, so that it can learn from what was really
served. A model that is late, away or switched off costs the caller no more than its few milliseconds,
and after some failures nothing at all.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from prometheus_client import Counter, Histogram

from models.contract import Arrays
from services.chassis.metrics import Metrics
from services.circuit import Circuit
from services.patterns.ab_test import CHALLENGER, group_of
from services.prediction import CircuitOpen, Predict, Prediction, PredictionRequest
from services.search.documents import Document, Results

log = logging.getLogger(__name__)

DEFAULT, RANKER = "default", "ranker"
"""The groups of the experiment; `default` is also who orders a page where no model does."""

FAILURES, REST_SECONDS = 3, 10.0


@dataclass(frozen=True)
class Placed:
    """One result where it stands, and where it would stand by default; from 1, over all pages of the search."""

    document: Document
    position: int
    default_position: int
    score: float | None = None
    features: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Ranking:
    """Who ordered a page, for which group of which experiment, and what the order is."""

    placed: Sequence[Placed]
    experiment: str | None = None
    group: str | None = None
    ranker: str = DEFAULT
    ranker_version: str | None = None


@dataclass(frozen=True)
class Page:
    """An answer, and how it came to its order."""

    results: Results
    ranking: Ranking


def as_found(documents: Sequence[Document], before: int = 0) -> list[Placed]:
    """Results in their default order, behind so many on earlier pages."""
    return [Placed(document, at, at) for at, document in enumerate(documents, before + 1)]


@dataclass(frozen=True)
class Experiment:
    """Which users' results a model orders."""

    name: str
    share: float

    def group(self, subject: UUID | None) -> str | None:
        """The group of a user: the same today and tomorrow, on this replica and on the next."""
        chosen = group_of(self.name, str(subject) if subject else "", self.share)
        return None if chosen is None else RANKER if chosen == CHALLENGER else DEFAULT


@dataclass(frozen=True)
class Scored:
    """What a model said about each candidate, and which version of it."""

    scores: NDArray[np.float32]
    version: str


class Model:
    """One model of another host. It has so many seconds; failing again and again it is left alone for a while."""

    def __init__(
        self,
        name: str,
        predict: Predict,
        seconds: float,
        metrics: Metrics,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name, self._predict, self._seconds, self._clock = name, predict, seconds, clock
        self.circuit = Circuit(FAILURES, REST_SECONDS, clock, lambda is_open: None)
        self._outcomes = metrics.made(Counter, "ranker_answers_total", "Pages by who ordered them.", ["model", "by"])
        self._took = metrics.made(Histogram, "ranker_duration_seconds", "Time the model took.", ["model"])

    async def scores(self, inputs: Arrays) -> Scored | None:
        """One score a row; nothing where the model does not answer in time."""
        try:
            tries = self.circuit.enter()
        except CircuitOpen:
            return self._counted(None)
        try:
            return self._counted(await self._asked(inputs))
        finally:
            if tries:
                self.circuit.trying = False

    async def _asked(self, inputs: Arrays) -> Scored | None:
        started, failed = self._clock(), True
        try:
            async with asyncio.timeout(self._seconds):
                prediction = await self._predict(PredictionRequest(self.name, inputs))
            failed = prediction.served_by == "default"
            return None if failed else _scored(prediction)
        except Exception as error:
            log.info("%s does not order: %r", self.name, error, extra={"action": "ranker.away"})
            return None
        finally:
            self.circuit.note(failed=failed)
            self._took.labels(self.name).observe(self._clock() - started)

    def _counted(self, scored: Scored | None) -> Scored | None:
        self._outcomes.labels(self.name, "model" if scored else DEFAULT).inc()
        return scored


def _scored(prediction: Prediction) -> Scored:
    return Scored(np.asarray(prediction.outputs["score"], np.float32), prediction.version)


def best_first(scores: NDArray[np.float32]) -> list[int]:
    """Places in the default order, the best first; of equally good ones the default order decides."""
    return [int(place) for place in np.argsort(-scores.ravel(), kind="stable")]
