"""The hidden truth: who likes what, how far down they look, and what they do about it.

What an item is worth to somebody is a sum: how much they prefer its category, whether it speaks their
language, how its style meets theirs, and how good it is. Style and quality are in no field of any item; they
show in what people do alone. Everything follows from the seed, also for items that others registered.
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.labels import CATEGORIES, names
from models.search_ranking.features import GAINS, examined, language

LANGUAGES = ("ja", "en")
STYLES = 4
WORDS: dict[str, Sequence[str]] = {
    "ja": ("公園", "駅前", "海辺", "写真", "スマホ", "今日", "光", "動物", "お気に入り"),
    "en": ("park", "station", "holiday", "phone", "light", "today", "walk", "animal", "favourite"),
}
"""What is asked for that is in no category alone."""


@dataclass(frozen=True)
class Nature:
    """What all people have in common. The figures are those with which a simple ranker gets a third more clicks."""

    seed: int = 1
    choosy: float = 0.3  # Dirichlet: smaller is fonder of few categories
    of_category: float = 0.9
    of_language: float = 0.6
    of_style: float = 0.5
    of_quality: float = 0.6
    reluctance: float = 1.0  # taken from what an item is worth before it is clicked
    steepness: float = 0.8  # a place is looked at with one over its number to the power of this


@dataclass(frozen=True)
class Person:
    """Somebody who is made up."""

    name: str
    number: int
    language: str
    preferences: tuple[float, ...]
    style: tuple[float, ...]


@dataclass(frozen=True)
class Shown:
    """A result, as everybody sees it."""

    item_id: str
    title: str
    category: str | None
    likes: int = 0
    fit: float | None = None
    """How well it fits the words, by which search orders what it finds; of equal ones the newest is first."""

    published: float = 0.0


@dataclass(frozen=True)
class Wish:
    """What somebody asks for."""

    person: Person
    query: str = ""
    category: str = ""


@dataclass(frozen=True)
class Deed:
    """What somebody does with a result."""

    position: int
    shown: Shown
    seconds: float = 0.0  # looked at for long, if more than none
    likes: bool = False


class World:
    """Everybody and everything, by one seed."""

    def __init__(self, nature: Nature) -> None:
        self.nature = nature
        self._known: dict[str, tuple[NDArray[np.float64], float]] = {}
        self._utilities: dict[tuple[int, str, str, str | None], float] = {}

    def person(self, number: int) -> Person:
        """The person of that number; half of them speak Japanese."""
        rng = self.dice("person", number)
        preferences = rng.dirichlet([self.nature.choosy] * len(CATEGORIES))
        return Person(
            name=f"sim-{self.nature.seed}-{number}",
            number=number,
            language=LANGUAGES[number % 2],
            preferences=tuple(float(value) for value in preferences),
            style=tuple(float(value) for value in rng.normal(size=STYLES)),
        )

    def utility(self, person: Person, shown: Shown) -> float:
        """What an item is worth to somebody; 0 is the average."""
        key = (person.number, shown.item_id, shown.title, shown.category)
        if key not in self._utilities:
            self._utilities[key] = self._utility(person, shown)
        return self._utilities[key]

    def _utility(self, person: Person, shown: Shown) -> float:
        nature = self.nature
        style, quality = self._hidden(shown.item_id)
        known = names(CATEGORIES)
        share = person.preferences[known.index(shown.category)] if shown.category in known else 1 / len(known)
        meets = float(np.dot(person.style, style)) / STYLES**0.5
        return float(
            nature.of_category * max(-2.0, float(np.log(share * len(known) + 1e-9)))
            + nature.of_language * (0.5 if language(shown.title) == person.language else -0.5)
            + nature.of_style * meets
            + nature.of_quality * quality
        )

    def chances(self, person: Person, shown: Shown) -> tuple[float, float, float]:
        """Of a click when looked at; after it, of a long view; after that, of a like."""
        wants = self.utility(person, shown) - self.nature.reluctance
        return _sigmoid(wants), _sigmoid(wants + 0.5), 0.5 * _sigmoid(wants + 0.5)

    def worth(self, person: Person, shown: Shown) -> float:
        """What showing an item to somebody is worth, in the gains of what they would do on average."""
        click, long_view, like = self.chances(person, shown)
        return click * (GAINS[1] + long_view * (GAINS[2] - GAINS[1] + like * (GAINS[3] - GAINS[2])))

    def deeds(self, person: Person, results: Sequence[Shown], dice: np.random.Generator) -> list[Deed]:
        """What somebody does with a page: looks from the top, ever less, and clicks what is worth it."""
        done = []
        for position, shown in enumerate(results, 1):
            looks, clicks, stays, likes = dice.random(4)  # four each, so that another order changes nothing else
            click, long_view, like = self.chances(person, shown)
            if looks < examined(position, self.nature.steepness) and clicks < click:
                stayed = stays < long_view
                seconds = 20.0 + 60.0 * float(stays) if stayed else 0.0
                done.append(Deed(position, shown, seconds, stayed and likes < like))
        return done

    def wish(self, person: Person, dice: np.random.Generator) -> Wish:
        """What somebody asks for: half the time a category they are fond of, else another or a word of any."""
        kind, place = float(dice.random()), LANGUAGES.index(person.language)
        label = CATEGORIES[int(dice.choice(len(CATEGORIES), p=person.preferences))]
        said = (label.ja, label.en)[place]
        if kind < 0.35:
            return Wish(person, query=said)
        if kind < 0.5:
            return Wish(person, category=label.name)
        if kind < 0.7:
            other = CATEGORIES[int(dice.integers(len(CATEGORIES)))]
            return Wish(person, query=f"{said} {(other.ja, other.en)[place]}")
        return Wish(person, query=str(dice.choice(list(WORDS[person.language]))))

    def dice(self, *what: str | int) -> np.random.Generator:
        """Chance that is the same each time, for this."""
        told = "\0".join([str(self.nature.seed), *map(str, what)])
        return np.random.default_rng(int.from_bytes(hashlib.sha256(told.encode()).digest()[:8], "big"))

    def _hidden(self, item_id: str) -> tuple[NDArray[np.float64], float]:
        if item_id not in self._known:
            rng = self.dice("item", item_id)
            self._known[item_id] = (rng.normal(size=STYLES), float(rng.normal()))
        return self._known[item_id]


def _sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value))
