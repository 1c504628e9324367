"""How well boxes, counts, positions and places fit what was drawn. What is said is said by the functions that serve."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.object_attributes.contract import PLACES
from models.object_attributes.finding import Rules, apart, brightness, found, prominent, shared, where
from pipelines.scenes.pack import Row

Floats = NDArray[np.float32]
HIT = 0.5
"""A box is right when it and the drawn one have half of their union in common."""


@dataclass(frozen=True)
class Judged:
    """Scenes, and what the model says of them."""

    rows: list[Row]
    boxes: Floats
    place: Floats
    brightness: Floats

    def some(self, chosen: Sequence[int] | NDArray[Any]) -> "Judged":
        """Some of them."""
        rows = [self.rows[index] for index in chosen]
        return Judged(rows, self.boxes[chosen], self.place[chosen], self.brightness[chosen])


def drawn(row: Row) -> Floats:
    """The drawn boxes of a scene, as sure as can be."""
    boxes = np.array(row["boxes"], np.float32).reshape(-1, 4)
    return np.concatenate([boxes, np.ones((len(boxes), 1), np.float32)], 1)


def hits(boxes: Floats, truth: Floats) -> NDArray[np.bool_]:
    """Of boxes from the best on: whether each is right; a drawn object is found once."""
    free, right = set(range(len(truth))), np.zeros(len(boxes), bool)
    for index, box in enumerate(boxes):
        best = max(free, key=lambda other: shared(box, truth[other])[0], default=None)
        if best is not None and shared(box, truth[best])[0] >= HIT:
            right[index] = True
            free.discard(best)
    return right


def average_precision(judged: Judged, rules: Rules, at: float = HIT) -> float:
    """The area under precision over recall, of all boxes by score."""
    scores, right, total = [np.zeros(0, np.float32)], [np.zeros(0, bool)], 0
    for row, boxes in zip(judged.rows, judged.boxes, strict=True):
        truth, kept = drawn(row), apart(boxes[np.argsort(-boxes[:, 4], kind="stable")], rules)
        total += len(truth)
        scores.append(kept[:, 4])
        right.append(hits(kept, truth))
    order = np.argsort(-np.concatenate(scores), kind="stable")
    found_so_far = np.cumsum(np.concatenate(right)[order])
    precision = found_so_far / np.arange(1, len(order) + 1)
    best_from_here = np.maximum.accumulate(precision[::-1])[::-1]
    recall = found_so_far / max(total, 1)
    return float((np.diff(np.concatenate([[0.0], recall])) * best_from_here).sum())


def precision_and_recall(judged: Judged, rules: Rules) -> tuple[float, float]:
    """Of the boxes that are said, and of the objects that are drawn; what is small beside the largest is neither."""
    right = said = there = 0
    for row, boxes in zip(judged.rows, judged.boxes, strict=True):
        kept, truth = found(boxes, rules), prominent(drawn(row), rules)
        right += int(hits(kept, truth).sum())
        said, there = said + len(kept), there + len(truth)
    return right / max(said, 1), right / max(there, 1)


def counts(judged: Judged, rules: Rules) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How many objects are drawn in each scene, and how many are said to be."""
    truth = np.array([len(prominent(drawn(row), rules)) for row in judged.rows])
    return truth, np.array([len(found(boxes, rules)) for boxes in judged.boxes])


def counted(judged: Judged, rules: Rules) -> dict[str, float]:
    """How far the counts are from the truth."""
    truth, said = counts(judged, rules)
    off = np.abs(said - truth)
    return {"exact": float((off == 0).mean()), "within_one": float((off <= 1).mean()), "error": float(off.mean())}


def placed(judged: Judged, rules: Rules) -> dict[str, float]:
    """How often the words for where are all right, and right word by word."""
    exact, words = [], []
    for row, boxes in zip(judged.rows, judged.boxes, strict=True):
        said = set(where(found(boxes, rules), rules))
        truth = set(where(prominent(drawn(row), rules), rules))
        exact.append(said == truth)
        words.append(len(said & truth) / max(len(said | truth), 1) if said | truth else 1.0)
    return {"exact": float(np.mean(exact)), "words": float(np.mean(words))}


def brightness_right(judged: Judged, rules: Rules) -> float:
    """How often the word for the brightness is that of the scene before it became a JPEG."""
    said = [brightness(float(value), rules) for value in judged.brightness[:, 0]]
    return float(
        np.mean([word == brightness(row["brightness"], rules) for word, row in zip(said, judged.rows, strict=True)])
    )


def place_said(judged: Judged, rules: Rules) -> tuple[float, float]:
    """Of scenes with a place: how often one is said. Of all places said: how often it is right."""
    truth = np.array([PLACES.index(row["place"]) if row["place"] else 0 for row in judged.rows])
    best = judged.place.argmax(1)
    said = (best > 0) & (judged.place.max(1) >= rules.place_score)
    return float(said[truth > 0].mean()), float((best == truth)[said].mean()) if said.any() else 1.0


def best_object_score(judged: Judged, make: Callable[[float], Rules]) -> float:
    """The score from which on counting objects is right most often."""
    candidates = [round(float(score), 2) for score in np.arange(0.15, 0.71, 0.02)]
    exact = [counted(judged, make(score))["exact"] for score in candidates]
    return candidates[int(np.argmax(exact))]


def least_place_score(judged: Judged, precision: float, make: Callable[[float], Rules]) -> float:
    """The lowest probability from which on so many places are right."""
    candidates = [round(float(score), 2) for score in np.arange(0.4, 0.995, 0.01)]
    return next((score for score in candidates if place_said(judged, make(score))[1] >= precision), candidates[-1])
