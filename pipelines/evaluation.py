"""How good a model is: rates with their intervals, thresholds on a stated cost, the confusion matrix."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

Floats = NDArray[np.floating]
Ints = NDArray[np.integer]
Bools = NDArray[np.bool_]

STUDENT_95 = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571, 7: 2.447, 8: 2.365, 9: 2.306, 10: 2.262}
"""Two-sided 95 % quantiles of Student's t, by the number of splits."""


@dataclass(frozen=True)
class Interval:
    """An estimate with its 95 % interval."""

    mean: float
    low: float
    high: float

    def named(self, name: str) -> dict[str, float]:
        """As metrics: NAME, NAME_low, NAME_high."""
        return {name: self.mean, f"{name}_low": self.low, f"{name}_high": self.high}

    def __str__(self) -> str:
        return f"{self.mean:.3f} ({self.low:.3f} to {self.high:.3f})"


@dataclass(frozen=True)
class Costs:
    """What a wrong or a slow decision costs, in the same unit."""

    publish_bad: float
    reject_good: float
    review: float


@dataclass(frozen=True)
class Thresholds:
    """At `reject` and above the platform says no by itself; from `review` on a moderator looks."""

    reject: float
    review: float


def accuracy(labels: Ints, predicted: Ints) -> float:
    """The part of the examples that got their own label."""
    return float(np.mean(np.asarray(labels) == np.asarray(predicted)))


def recall(labels: Ints, predicted: Ints, names: Sequence[str]) -> dict[str, float]:
    """For each class that occurs: the part of its examples that was found."""
    matrix = confusion(labels, predicted, len(names))
    totals = matrix.sum(axis=1)
    return {name: float(matrix[i, i] / totals[i]) for i, name in enumerate(names) if totals[i]}


def auc(bad: Bools, scores: Floats) -> float:
    """The chance that a bad example scores higher than a good one."""
    return float(roc_auc_score(np.asarray(bad), np.asarray(scores)))


def confusion(labels: Ints, predicted: Ints, size: int) -> NDArray[np.int64]:
    """Rows are the truth, columns what the model said."""
    matrix = np.zeros((size, size), np.int64)
    np.add.at(matrix, (np.asarray(labels), np.asarray(predicted)), 1)
    return matrix


def bootstrap(values: Floats, repeats: int = 2000, seed: int = 0) -> Interval:
    """The mean of per-example values, with an interval from resampling the examples."""
    values = np.asarray(values, np.float64)
    picks = np.random.default_rng(seed).integers(0, len(values), (repeats, len(values)))
    low, high = np.quantile(values[picks].mean(axis=1), [0.025, 0.975])
    return Interval(float(values.mean()), float(low), float(high))


def over_splits(results: Sequence[float]) -> Interval:
    """The mean of one result per split, with Student's interval: a few splits are a small sample."""
    mean, spread = float(np.mean(results)), float(np.std(results, ddof=1))
    half = STUDENT_95[len(results)] * spread / len(results) ** 0.5
    return Interval(mean, mean - half, mean + half)


def choose_thresholds(
    scores: Floats,
    bad: Bools,
    cost_publish_bad: float,
    cost_reject_good: float,
    cost_review: float,
) -> Thresholds:
    """The pair of thresholds that is cheapest on these examples; of equally cheap ones, fewest reviews.

    Sorted by score, the first i are published, up to j reviewed, the rest rejected. The cost splits
    into a part that depends on i and one that depends on j, so one pass finds the best i <= j.
    """
    order = np.argsort(scores, kind="stable")
    score, is_bad = np.asarray(scores, np.float64)[order], np.asarray(bad, bool)[order]
    position = np.arange(len(score) + 1)
    publish = before(is_bad) * cost_publish_bad - position * cost_review
    reject = position * cost_review - before(~is_bad) * cost_reject_good
    possible = np.concatenate([[True], score[1:] > score[:-1], [True]])
    publish[~possible] = np.inf
    best_i = running_argmin(publish)
    total = np.where(possible, publish[best_i] + reject, np.inf)
    j = int(np.argmin(total))
    return Thresholds(reject=between(score, j), review=between(score, int(best_i[j])))


def before(flags: Bools) -> Floats:
    """How many flags are set before each position, and in all."""
    return np.concatenate([[0.0], np.cumsum(flags)])


def running_argmin(values: Floats) -> NDArray[np.int64]:
    """For each position the last place of the smallest value up to there."""
    best = np.zeros(len(values), np.int64)
    for i in range(1, len(values)):
        best[i] = i if values[i] <= values[best[i - 1]] else best[i - 1]
    return best


def between(score: Floats, position: int) -> float:
    """A threshold that puts the first `position` scores below it, halfway to the next."""
    low = score[position - 1] if position else 0.0
    high = score[position] if position < len(score) else 1.0
    return float((low + high) / 2 if low < high or not position else np.nextafter(low, 2.0))


def decisions(scores: Floats, bad: Bools, thresholds: Thresholds, costs: Costs) -> dict[str, float]:
    """What the thresholds do to these examples: rates, and the cost per example."""
    scores, bad = np.asarray(scores), np.asarray(bad, bool)
    rejected = scores >= thresholds.reject
    reviewed = ~rejected & (scores >= thresholds.review)
    published = ~rejected & ~reviewed
    cost = (
        costs.publish_bad * (published & bad).sum()
        + costs.reject_good * (rejected & ~bad).sum()
        + costs.review * reviewed.sum()
    )
    return {
        "bad_published": share(published & bad, bad),
        "bad_reviewed": share(reviewed & bad, bad),
        "good_rejected": share(rejected & ~bad, ~bad),
        "good_reviewed": share(reviewed & ~bad, ~bad),
        "cost": float(cost / len(scores)),
    }


def share(part: Bools, whole: Bools) -> float:
    """The part, of the whole; 0 of nothing is 0."""
    return float(part.sum() / max(1, whole.sum()))


def confusion_picture(matrix: NDArray[np.int64], names: Sequence[str], path: Path, title: str) -> None:
    """The confusion matrix as a PNG, the same bytes for the same matrix."""
    from matplotlib.figure import Figure

    side = 2.4 + 0.55 * len(names)
    figure = Figure(figsize=(side, side), dpi=100, layout="constrained")
    axes = figure.add_subplot()
    rows = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    axes.imshow(rows, cmap="Blues", vmin=0, vmax=1)
    for (row, column), count in np.ndenumerate(matrix):
        ink = "white" if rows[row, column] > 0.5 else "black"
        axes.text(column, row, str(count), ha="center", va="center", color=ink)
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right")
    axes.set_yticks(range(len(names)), names)
    axes.set(title=title, xlabel="the model says", ylabel="it is")
    figure.savefig(path, format="png", metadata={"Software": None})
