"""A result as the ranker sees it: the document, what was asked and who asks, as they are at that moment.

Search makes the features here and logs what it made with each result it shows; training reads that log
(`logged`). So both see the same numbers, and training sees nothing that came later.
"""

import json
import math
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from models.contract import Arrays, Manifest
from models.labels import CATEGORIES, names

GRADES: dict[str, int] = {"click": 1, "long_view": 2, "like": 3}
"""How much what somebody did says; nothing done is 0."""

GAINS = (0.0, 1.0, 3.0, 7.0)
"""What a grade is worth: 2 to its power, less 1."""

STEEPNESS = 0.8
"""How fast attention falls with the position, where nobody has measured it."""

USUAL_RATE = 0.1
"""Clicks of what is looked at, where nothing is known."""

PRIOR = 8.0
"""So many looks at the usual rate are added to what was counted: three clicks of four looks prove little."""

MOST_KNOWN = 3
WIDEST = 10.0


@dataclass(frozen=True, slots=True)
class Use:
    """What people did with an item lately."""

    examined: float = 0.0  # impressions, each counted as the chance that it was looked at where it stood
    clicks: float = 0.0
    long_views: float = 0.0


@dataclass(frozen=True, slots=True)
class User:
    """What is known of somebody: of each trait, how much of it was looked at, and clicked."""

    examined: dict[str, float] = field(default_factory=dict)
    clicks: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A document, as far as the ranker looks at it."""

    title: str
    category: str | None = None
    likes: int = 0
    age_hours: float = 0.0
    fit: float | None = None  # how well it fits the words, comparable within one search
    taste: float | None = None  # how like its picture is to those that the user chose
    known: int = 0  # the highest grade the user has given it before
    own: bool = False
    use: Use = Use()


@dataclass(frozen=True, slots=True)
class Asked:
    """A search with its candidates."""

    candidates: list[Candidate]
    query: str = ""
    category: str | None = None
    user: User = User()


NAMES = (
    "fit", "fresh", "likes", "rate", "kept", "seen", "category_taste", "language_taste", "same_language",
    "picture_taste", "known", "own", "right_category", "in_title",
)  # fmt: skip
SIZE = len(NAMES)


def traits(title: str, category: str | None) -> list[str]:
    """What of a document somebody may have a taste for."""
    known = category if category in names(CATEGORIES) else "other"
    return [f"category:{known}", f"language:{language(title)}"]


@lru_cache(maxsize=10_000)
def language(text: str) -> str:
    """`ja` where anything is written in kana or kanji, else `en`."""
    return "ja" if any(unicodedata.name(letter, "").startswith(JAPANESE) for letter in text) else "en"


JAPANESE = ("HIRAGANA", "KATAKANA", "CJK", "HALFWIDTH KATAKANA")


def examined(position: int, steepness: float = STEEPNESS) -> float:
    """The chance that somebody looks at what stands there, from position 1 on."""
    return float(position**-steepness)


def features(asked: Asked) -> NDArray[np.float32]:
    """One row for each candidate; a row is the same whatever the other candidates are."""
    tastes = _Tastes(asked.user)
    rows = [_row(one, asked, tastes) for one in asked.candidates]
    return np.clip(np.array(rows, np.float32).reshape(-1, SIZE), -WIDEST, WIDEST)


def _row(one: Candidate, asked: Asked, tastes: "_Tastes") -> Sequence[float]:
    use, query = one.use, _plain(asked.query)
    of_category, of_language = traits(one.title, one.category)
    return (
        one.fit or 0.0,
        -math.log1p(max(0.0, one.age_hours)),
        math.log1p(max(0, one.likes)),
        _lift(use.clicks, use.examined, USUAL_RATE),
        math.log((use.long_views + 1) / (use.clicks + 3)),
        math.log1p(use.examined),
        tastes.of(of_category),
        tastes.of(of_language),
        float(of_language == f"language:{language(query)}") if query else 0.5,
        one.taste or 0.0,
        one.known / MOST_KNOWN,
        float(one.own),
        float(asked.category is not None and one.category == asked.category),
        float(bool(query) and query in _plain(one.title)),
    )


class _Tastes:
    """How much more often than the rest somebody clicks what has a trait."""

    def __init__(self, user: User) -> None:
        self._user = user
        kind = [trait for trait in user.examined if trait.startswith("category:")]
        looked, clicked = (sum(counted.get(trait, 0.0) for trait in kind) for counted in (user.examined, user.clicks))
        self._rate = (clicked + PRIOR * USUAL_RATE) / (looked + PRIOR)

    def of(self, trait: str) -> float:
        """0 where nothing is known of it."""
        return _lift(self._user.clicks.get(trait, 0.0), self._user.examined.get(trait, 0.0), self._rate)


def _lift(clicks: float, looked: float, usual: float) -> float:
    """How far the rate of clicks lies from the usual one, as a logarithm."""
    return math.log((clicks + PRIOR * usual) / (looked + PRIOR) / usual)


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().strip()


def told(row: NDArray[np.float32]) -> dict[str, float]:
    """One row by name, as it is logged: a float32 is a JSON number without loss."""
    return dict(zip(NAMES, map(float, row), strict=True))


def logged(rows: Sequence[Mapping[str, float]]) -> NDArray[np.float32]:
    """The features again, from the log."""
    return np.array([[row[name] for name in NAMES] for row in rows], np.float32).reshape(-1, SIZE)


def raw(asked: Asked) -> bytes:
    """The JSON that `encode` takes."""
    return json.dumps(asdict(asked), ensure_ascii=False, sort_keys=True).encode()


@cache
def _form() -> TypeAdapter[Asked]:
    return TypeAdapter(Asked)


def encode(raw: bytes) -> dict[str, NDArray[Any]]:
    """The features of all candidates of a search."""
    try:
        asked = _form().validate_json(raw)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"{where or 'it'}: {first['msg']}") from error
    if not asked.candidates:
        raise ValueError("candidates: at least one is needed")
    if min(min(one.use.examined, one.use.clicks, one.use.long_views) for one in asked.candidates) < 0:
        raise ValueError("candidates: what was counted is never negative")
    return {"features": features(asked)}


def answer(manifest: Manifest, outputs: Arrays) -> dict[str, Any]:
    """What each candidate is worth to this user, in the order they were given."""
    return {"scores": [float(value) for value in outputs["score"][:, 0]]}
