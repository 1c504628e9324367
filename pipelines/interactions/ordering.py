"""How good an order is, judged by what people did with another one: NDCG and recall, weighed by attention.

What stands low is seldom looked at, so a click there says more: each is weighed with one over the chance
that it was seen (inverse propensity). NDCG here is what all searches' orders are worth together, of what the best
ones would be. Unweighed figures favour whatever order made the log.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.search_ranking.features import GAINS
from pipelines.evaluation import Interval

Floats = NDArray[np.float64]
MOST_WEIGHT = 30.0
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


def dcg(worth: Floats, scores: Floats, k: int = 10) -> float:
    """What the first k are worth, the lower the less; of equally scored ones the order given decides."""
    order = np.argsort(-scores, kind="stable")[:k]
    return float((worth[order] / np.log2(np.arange(2, len(order) + 2))).sum())


def first(worth: Floats, scores: Floats, k: int) -> float:
    """What is among the first k."""
    return float(worth[np.argsort(-scores, kind="stable")[:k]].sum())


def by_user(
    subjects: Sequence[str], got: Sequence[float], possible: Sequence[float], repeats: int, seed: int = 0
) -> Interval:
    """The part of what was possible that was got, over all searches, with an interval from drawing whole users again.

    Not the mean of each search's part: where one result was clicked, its weight would fall out of that.
    """
    users = {subject: place for place, subject in enumerate(dict.fromkeys(subjects))}
    place = np.array([users[subject] for subject in subjects])
    sums, most = np.bincount(place, got), np.bincount(place, possible)
    picks = np.random.default_rng(seed).integers(0, len(users), (repeats, len(users)))
    low, high = np.quantile(sums[picks].sum(1) / most[picks].sum(1), [0.025, 0.975])
    return Interval(float(np.sum(got) / np.sum(possible)), float(low), float(high))
