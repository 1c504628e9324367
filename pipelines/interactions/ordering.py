"""How good an order is, judged by what people did with another one: NDCG and recall, weighed by attention.

What stands low is seldom looked at, so a click there says more: each is weighed with one over the chance
that it was seen (inverse propensity). Unweighed figures favour whatever order made the log.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.search_ranking.features import GAINS
from pipelines.evaluation import Interval

Floats = NDArray[np.float64]
MOST_WEIGHT = 10.0
"""A single click far down must not decide."""


@dataclass(frozen=True)
class Search:
    """One search: what was shown where, and what became of it. One row a result."""

    subject: str
    shown_at: float
    positions: NDArray[np.int64]
    default_positions: NDArray[np.int64]
    grades: NDArray[np.int64]

    def worth(self, steepness: float) -> Floats:
        """What each result turned out to be worth; with steepness 0 as it was counted."""
        weight = np.minimum(self.positions**steepness, MOST_WEIGHT)
        return np.asarray(np.array(GAINS)[self.grades] * weight)


def ndcg(worth: Floats, scores: Floats, k: int = 10) -> float:
    """1 for the best order of these results; of equally scored ones the order given decides."""
    order = np.argsort(-scores, kind="stable")[:k]
    best = np.sort(worth)[::-1][:k]
    discount = 1 / np.log2(np.arange(2, k + 2))
    return float((worth[order] * discount[: len(order)]).sum() / (best * discount[: len(best)]).sum())


def recall(worth: Floats, scores: Floats, k: int) -> float:
    """The part of what was worth anything that is among the first k."""
    order = np.argsort(-scores, kind="stable")[:k]
    return float(worth[order].sum() / worth.sum())


def by_user(subjects: Sequence[str], values: Sequence[float], repeats: int, seed: int = 0) -> Interval:
    """The mean of the searches' values, with an interval from drawing whole users again."""
    users = {subject: place for place, subject in enumerate(dict.fromkeys(subjects))}
    place = np.array([users[subject] for subject in subjects])
    sums, counts = np.bincount(place, values), np.bincount(place)
    picks = np.random.default_rng(seed).integers(0, len(users), (repeats, len(users)))
    low, high = np.quantile(sums[picks].sum(1) / counts[picks].sum(1), [0.025, 0.975])
    return Interval(float(np.mean(values)), float(low), float(high))
