"""Asks the model similar_words what else to look for; a search goes on without it when it does not answer at once.

It is asked about words that the product's own list does not know. It spells its answers out, and texts says
what they are filed under, as for every other word.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice

import httpx
import numpy as np
from prometheus_client import Counter, Histogram

from models.contract import Arrays
from models.labels import CATEGORIES
from models.similar_words.features import category, encode, similar
from services.chassis.errors import Unavailable
from services.chassis.metrics import Metrics
from services.circuit import Circuit
from services.prediction import CircuitOpen, Predict, PredictionRequest
from services.search.words import Words

log = logging.getLogger(__name__)

MODEL = "similar_words"
OUTPUTS = ("similar", "score", "category")
FAILURES, REST_SECONDS = 3, 10.0
MOST_WORDS, LONGEST_WORD = 4, 64
"""Words of one query that are asked about, and how long they may be."""

MOST_MEANINGS = 6
LABELS = {label.name: label for label in CATEGORIES}


@dataclass(frozen=True)
class Meaning:
    """A word to look for instead, and the terms that a document with it has."""

    word: str
    terms: tuple[str, ...]


@dataclass(frozen=True)
class Similar:
    """What else to look for where one word finds nothing."""

    meanings: Sequence[Meaning]
    category: Meaning | None


class SimilarWords:
    """The model, asked in another host. It has so many seconds; failing again and again it is left alone."""

    def __init__(
        self,
        predict: Predict,
        words: Words,
        seconds: float,
        metrics: Metrics,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._predict, self._words, self._seconds, self._clock = predict, words, seconds, clock
        self._circuit = Circuit(FAILURES, REST_SECONDS, clock, lambda is_open: None)
        self._answers = metrics.made(
            Counter, "similar_words_answers_total", "Searches that asked for similar words, by who answered.", ["by"]
        )
        self._took = metrics.made(Histogram, "similar_words_duration_seconds", "Time the model took.", [])

    async def of(self, asked: Sequence[str]) -> list[Similar]:
        """What is similar to each of the words; nothing at all where the model or texts does not answer."""
        rows = await self._rows([word[:LONGEST_WORD] for word in asked[:MOST_WORDS]])
        self._answers.labels("default" if rows is None else "model").inc()
        if not rows:
            return []
        try:
            return await self._filed(rows)
        except (httpx.HTTPError, Unavailable) as error:
            log.warning("texts is away: %r", error, extra={"action": "search.degraded"})
            return []

    async def _rows(self, asked: Sequence[str]) -> list[Arrays] | None:
        """The answer for each word."""
        try:
            tries = self._circuit.enter()
        except CircuitOpen:
            return None
        try:
            return await self._answered(asked)
        finally:
            if tries:
                self._circuit.trying = False

    async def _answered(self, asked: Sequence[str]) -> list[Arrays] | None:
        started, failed = self._clock(), True
        encoded = [encode(word.encode()) for word in asked]
        inputs = {name: np.concatenate([row[name] for row in encoded]) for name in encoded[0]}
        try:
            async with asyncio.timeout(self._seconds):
                prediction = await self._predict(PredictionRequest(MODEL, inputs))
            rows: list[Arrays] = [
                {name: prediction.outputs[name][[at]] for name in OUTPUTS} for at in range(len(asked))
            ]
            failed = prediction.served_by == "default"
            return None if failed else rows
        except Exception as error:
            log.info("%s does not answer: %r", MODEL, error, extra={"action": "similar_words.away"})
            return None
        finally:
            self._circuit.note(failed=failed)
            self._took.observe(self._clock() - started)

    async def _filed(self, rows: Sequence[Arrays]) -> list[Similar]:
        """What the similar words and the categories are filed under, asked once for all."""
        words = [[word for word, _ in similar(row)] for row in rows]
        near = [category(row) for row in rows]
        labels = [LABELS[one[0]].ja for one in near if one]
        texts = [*(word for some in words for word in some), *labels]
        terms = iter((await self._words.filed(texts)).terms if texts else [])
        meanings = [_meanings(some, list(islice(terms, len(some)))) for some in words]
        named = [Meaning(LABELS[one[0]].name, tuple(next(terms))) if one else None for one in near]
        return [Similar(some, label) for some, label in zip(meanings, named, strict=True)]


def _meanings(words: Sequence[str], terms: Sequence[Sequence[str]]) -> list[Meaning]:
    """Each meaning once, by its first word: cat, 猫 and ねこ are filed alike."""
    first: dict[tuple[str, ...], Meaning] = {}
    for word, some in zip(words, terms, strict=True):
        if some:
            first.setdefault(tuple(some), Meaning(word, tuple(some)))
    return list(first.values())[:MOST_MEANINGS]
