"""Alternating least squares on what was chosen (implicit feedback), with categories as items of their own.

A user is never kept: their taste is solved for from their choices and the items' factors, in training as
in serving. A category takes part like an item that is chosen whenever one of its items is; so an item that
nobody has chosen yet has a place, and what the few choices of an item say is backed by its category.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.for_you.features import HISTORY, OTHER, WEIGHTS
from models.search_ranking.features import PRIOR, USUAL_RATE, examined
from pipelines.for_you.choices import Choices, Floats, Ints


@dataclass(frozen=True)
class Shape:
    """How tastes are solved for."""

    factors: int
    penalty: float
    confidence: float
    category_weight: float


@dataclass(frozen=True)
class History:
    """What somebody chose last: rows of the factors, and how much each counts."""

    rows: Ints
    weights: Floats


@dataclass(frozen=True)
class Model:
    """Factors of items (one row each), then of categories; how popular each item is; what the parts of a score weigh.

    An item that came after the training has no factors of its own and is as popular as the average: 0.
    """

    table: Floats
    popular: Floats
    shape: Shape
    parts: tuple[float, float, float] = (1.0, 1.0, 1.0)

    @property
    def items(self) -> int:
        """So many rows are items."""
        return len(self.table) - OTHER - 1

    def taste(self, chosen: Sequence[tuple[int, int]], categories: Ints) -> Floats:
        """What somebody likes, as a point among the items."""
        known = history(chosen, categories, self.items, self.shape)
        return solved(self.table, self.table.T @ self.table, known, self.shape)

    def each(self, taste: Floats, items: Ints, categories: Ints) -> Floats:
        """The parts of the scores, one row an item: itself, its category, how popular it is."""
        own, of_category = self.table[items] @ taste, self.table[self.items + categories[items]] @ taste
        return np.stack([own, of_category, self.popular[items]], axis=1)

    def scores(self, taste: Floats, items: Ints, categories: Ints) -> Floats:
        """How well items suit a taste."""
        return np.asarray(self.each(taste, items, categories) @ np.array(self.parts))


def history(chosen: Sequence[tuple[int, int]], categories: Ints, items: int, shape: Shape) -> History:
    """As rows and weights; categories count what their items count, together."""
    by_category: dict[int, float] = {}
    for item, grade in chosen:
        place = items + int(categories[item])
        by_category[place] = by_category.get(place, 0.0) + WEIGHTS[grade] * shape.category_weight
    rows = [item for item, _ in chosen] + list(by_category)
    weights = [WEIGHTS[grade] for _, grade in chosen] + list(by_category.values())
    return History(np.array(rows, np.int64), np.array(weights, np.float64))


def solved(table: Floats, gram: Floats, known: History, shape: Shape) -> Floats:
    """The taste for which what was chosen comes out near 1, and everything else near 0."""
    chosen, weight = table[known.rows], shape.confidence * known.weights
    left = gram + shape.penalty * np.eye(shape.factors) + (chosen * weight[:, None]).T @ chosen
    return np.asarray(np.linalg.solve(left, chosen.T @ (1 + weight)))


def fit(found: Choices, shape: Shape, rounds: int, seed: int) -> Model:
    """Users and items by turns."""
    items = len(found.numbers)
    count = items + OTHER + 1
    last = [found.chosen_before(user, np.inf, HISTORY) for user in np.unique(found.user[found.grade > 0]).tolist()]
    histories = [history(chosen, found.categories, items, shape) for chosen in last]
    chosen_by = turned(histories, count)
    table = np.random.default_rng(seed).normal(0, 0.1, (count, shape.factors))
    for _ in range(rounds):
        gram = table.T @ table
        users = np.array([solved(table, gram, one, shape) for one in histories]).reshape(-1, shape.factors)
        gram = users.T @ users
        table = np.array([solved(users, gram, one, shape) for one in chosen_by])
    return Model(table, popularity(found), shape)


def turned(histories: Sequence[History], count: int) -> list[History]:
    """The same by item: who chose it."""
    rows: list[list[int]] = [[] for _ in range(count)]
    weights: list[list[float]] = [[] for _ in range(count)]
    for user, one in enumerate(histories):
        for row, weight in zip(one.rows.tolist(), one.weights.tolist(), strict=True):
            rows[row].append(user)
            weights[row].append(weight)
    return [History(np.array(r, np.int64), np.array(w, np.float64)) for r, w in zip(rows, weights, strict=True)]


def popularity(found: Choices) -> Floats:
    """How much more often than usual each item is chosen where it is looked at, as a logarithm."""
    items = len(found.numbers)
    looked = np.bincount(found.item, examined_at(found.position), items)
    clicks = np.bincount(found.item, found.grade > 0, items)
    return np.asarray(np.log((clicks + PRIOR * USUAL_RATE) / (looked + PRIOR) / USUAL_RATE))


def examined_at(positions: Ints) -> NDArray[np.float64]:
    """The chance that each was looked at."""
    return np.array([examined(int(position)) for position in positions], np.float64)
