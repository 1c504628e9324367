"""Somebody's last choices, and the items that may be shown, as numbers that the model looks up.

Users are never numbered: who comes after a training is folded in by what they chose. An item that came
after it is known by its category alone, until the next training.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from models.contract import Arrays, Manifest
from models.labels import CATEGORIES, names

HISTORY = 50
"""So many of the last choices are looked at."""

CANDIDATES = 200
"""So many items are scored in one go."""

NOBODY = 0
"""Stands where there is no item."""

BITS = 52
"""Of an item's id: every reader of JSON keeps so large a number exactly."""

OTHER = len(CATEGORIES)
"""The number of what is in none of the categories."""

WEIGHTS = (0.0, 1.0, 2.0, 3.0)
"""What a choice says, by its grade: a click, a long view, a like."""

MOST_LISTED = 10


@dataclass(frozen=True, slots=True)
class Chosen:
    """An item that somebody chose, and how much: 1 a click, 2 a long view, 3 a like."""

    item_id: UUID
    category: str | None = None
    grade: int = 1


@dataclass(frozen=True, slots=True)
class Choosable:
    """An item that may be shown."""

    item_id: UUID
    category: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody chose, the last first, and what there is to show."""

    candidates: list[Choosable]
    history: list[Chosen] = field(default_factory=list)


def number(item_id: UUID) -> int:
    """An item's number: the random end of its id."""
    return item_id.int % 2**BITS or 1


@cache
def _categories() -> dict[str | None, int]:
    return {name: at for at, name in enumerate(names(CATEGORIES))}


def category_number(category: str | None) -> int:
    """The place of a category, or OTHER."""
    return _categories().get(category, OTHER)


def features(asked: Asked) -> dict[str, NDArray[Any]]:
    """One row: choices and candidates beyond what fits are left out."""
    history, candidates = asked.history[:HISTORY], asked.candidates[:CANDIDATES]
    weights = [WEIGHTS[one.grade] for one in history]
    return {
        "history": _padded([number(one.item_id) for one in history], HISTORY, NOBODY, np.int64),
        "history_categories": _padded([category_number(one.category) for one in history], HISTORY, OTHER, np.int32),
        "weights": _padded(weights, HISTORY, 0.0, np.float32),
        "candidates": _padded([number(one.item_id) for one in candidates], CANDIDATES, NOBODY, np.int64),
        "candidate_categories": _padded(
            [category_number(one.category) for one in candidates], CANDIDATES, OTHER, np.int32
        ),
    }


def _padded(values: Sequence[float], size: int, filling: float, kind: type[np.generic]) -> NDArray[Any]:
    row = np.full((1, size), filling, kind)
    row[0, : len(values)] = values
    return row


def raw(asked: Asked) -> bytes:
    """The JSON that `encode` takes."""
    return json.dumps(asdict(asked), default=str, sort_keys=True).encode()


@cache
def _form() -> TypeAdapter[Asked]:
    return TypeAdapter(Asked)


def encode(raw: bytes) -> dict[str, NDArray[Any]]:
    """The numbers of one question."""
    try:
        asked = _form().validate_json(raw)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"{where or 'it'}: {first['msg']}") from error
    if not 1 <= len(asked.candidates) <= CANDIDATES:
        raise ValueError(f"candidates: {len(asked.candidates)} of them; 1 to {CANDIDATES} are allowed")
    if any(not 1 <= one.grade < len(WEIGHTS) for one in asked.history):
        raise ValueError(f"history: a grade is from 1 to {len(WEIGHTS) - 1}")
    return features(asked)


def answer(manifest: Manifest, outputs: Arrays) -> dict[str, Any]:
    """The places of the best candidates, the best first, with their scores."""
    scores = outputs["score"][0]
    best = np.argsort(-scores, kind="stable")[:MOST_LISTED]
    return {"best": [{"candidate": int(place), "score": float(scores[place])} for place in best]}
