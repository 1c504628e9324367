"""Items for the bench of search: words as people use them (few are common, most are rare), pictures that look alike.

Nothing of it is a real item. Embeddings lie as real ones do: categories apart, kinds near each other, most of what
differs in few directions.
"""

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from models.image_screening.contract import EMBEDDING_VERSION
from services.contracts import Attributes, ItemPublished

Floats = NDArray[np.float32]
ROOT = Path(__file__).resolve().parents[2]
DIMENSIONS = 128
START = datetime(2026, 1, 1, tzinfo=UTC)
LONG = 5
RARE = 8_000
"""Names of places and people, each in a dozen of 100,000 texts."""

SYLLABLES = ("ka", "mo", "ri", "ta", "ne", "shi", "lo", "ve", "du", "ra", "ko", "mi", "sen", "dor", "wa", "yu")
QUALITIES = (
    ("黒い", "black"), ("白い", "white"), ("赤い", "red"), ("小さな", "small"), ("大きな", "big"), ("古い", "old"),
    ("かわいい", "cute"), ("眠そうな", "sleepy"), ("きれいな", "beautiful"), ("元気な", "lively"), ("青い", "blue"),
    ("ふわふわの", "fluffy"), ("珍しい", "unusual"), ("お気に入りの", "favourite"), ("木の", "wooden"), ("", ""),
)  # fmt: skip
PLACES = (
    ("公園", "park"), ("駅前", "station"), ("海辺", "beach"), ("友達の家", "kitchen"), ("朝市", "market"),
    ("山", "mountain"), ("庭", "garden"), ("川", "river"), ("学校", "school"), ("窓辺", "window"), ("屋根", "roof"),
)  # fmt: skip
SENTENCES = (
    ("{place}で偶然見つけました。", "Found near the {place}, quite by chance."),
    ("{name}さんと一緒に撮りました。", "Taken together with {name}."),
    ("光がきれいな日でした。", "The light was lovely that day."),
    ("{name}の{place}にて。", "At the {place} of {name}."),
    ("また見に行きたいです。", "I want to go back soon."),
    ("何度見ても飽きません。", "I never tire of it."),
)


@dataclass(frozen=True)
class Kind:
    """Something a picture may show."""

    category: str
    ja: str
    en: str
    head: bool = False  # the category itself


def kinds() -> list[Kind]:
    """All that the product's words know, each in both languages."""
    said = tomllib.loads((ROOT / "models" / "words.toml").read_text())
    found = []
    for category in said["category"]:
        english = next(word for word in category["words"] if word.isascii())
        found.append(Kind(category["label"], category["words"][0], english, head=True))
        for name, words in category.get("kinds", {}).items():
            found.append(Kind(category["label"], name, next((word for word in words if word.isascii()), name)))
    return found


class Corpus:
    """So many items, the same for the same seed."""

    def __init__(self, items: int, seed: int = 1) -> None:
        self.items, self._seed = items, seed
        self._rng = np.random.default_rng(seed)
        self.kinds = kinds()
        self.rare = sorted({"".join(self._rng.choice(SYLLABLES, 4)).capitalize() for _ in range(RARE)})
        self.kind_of = self._zipf(len(self.kinds), items, 0.8)

    def _zipf(self, most: int, count: int, steepness: float) -> NDArray[np.int64]:
        """Which of so many, the first far more often than the last; which one is first is left to chance."""
        weights = np.arange(1, most + 1) ** -steepness
        return self._rng.permutation(most)[self._rng.choice(most, count, p=weights / weights.sum())]

    @cached_property
    def embeddings(self) -> Floats:
        """Where every picture lies."""
        rng = np.random.default_rng([self._seed, DIMENSIONS])

        def drawn(count: int) -> Floats:
            return np.asarray(rng.normal(size=(count, DIMENSIONS)), np.float32)

        categories = sorted({kind.category for kind in self.kinds})
        of_category = _unit(drawn(len(categories)))
        of_kind = np.stack([of_category[categories.index(kind.category)] for kind in self.kinds])
        of_kind = _unit(of_kind + 0.9 * _unit(drawn(len(self.kinds))))
        spread = (np.arange(1, DIMENSIONS + 1) ** -0.6).astype(np.float32)
        mixed = np.linalg.qr(drawn(DIMENSIONS))[0]
        return _unit(of_kind[self.kind_of] + 0.9 * _unit(drawn(self.items) * spread @ mixed))

    def __iter__(self) -> Iterator[ItemPublished]:
        """Every item as search hears of it, the oldest first."""
        names = self._zipf(len(self.rare), self.items, 0.5)
        for number, (kind, name, embedding) in enumerate(zip(self.kind_of, names, self.embeddings, strict=True)):
            yield self._item(number, self.kinds[kind], self.rare[name], embedding)

    def _item(self, number: int, kind: Kind, name: str, embedding: Floats) -> ItemPublished:
        rng, at = self._rng, START + timedelta(minutes=5 * number)
        language = int(rng.random() < 0.5)
        sentences = rng.choice(len(SENTENCES), int(rng.integers(0, 3)), replace=False)
        place = PLACES[int(rng.integers(len(PLACES)))][language]
        told = [SENTENCES[one][language].format(place=place, name=name) for one in sentences]
        return ItemPublished(
            item_id=UUID(int=(number << 64) + int(rng.integers(2**62))),
            revision=1,
            sequence=2,
            owner_id=UUID(int=int(rng.integers(500))),
            owner_name=f"user {number % 500}",
            image_id=f"{number:064x}",
            title=self._title(kind, language, place, name),
            description=("" if language == 0 else " ").join(told),
            category=kind.category if rng.random() < 0.9 else None,
            tags=[kind.ja, kind.en] if rng.random() < 0.7 else [],
            embedding=embedding.tolist(),
            embedding_version=EMBEDDING_VERSION,
            attributes=self._attributes(),
            likes=int(rng.integers(5)),
            registered_at=at,
            published_at=at,
        )

    def _title(self, kind: Kind, language: int, place: str, name: str) -> str:
        thing, chance = (kind.ja, kind.en)[language], self._rng.random()
        quality = QUALITIES[int(self._rng.integers(len(QUALITIES)))][language]
        titles = (
            (f"{quality}{thing}", f"{quality} {thing}".strip().capitalize()),
            (f"{place}の{quality}{thing}", f"A {quality} {thing} in the {place}".replace("  ", " ")),
            (f"{name}の{thing}", f"{name}'s {thing}"),
        )
        return titles[0 if chance < 0.5 else 1 if chance < 0.85 else 2][language]

    def _attributes(self) -> Attributes | None:
        """Of one in five nobody noticed anything: they were published before."""
        rng = self._rng
        if rng.random() < 0.2:
            return None
        return Attributes(
            objects=[],
            count=int(rng.choice(8, p=(0.02, 0.5, 0.2, 0.13, 0.07, 0.04, 0.02, 0.02))),
            where=[word for word in ("left", "right", "top", "bottom", "centre") if rng.random() < 0.3],
            brightness=("dark", "medium", "bright")[int(rng.choice(3, p=(0.25, 0.5, 0.25)))],
            place=(None, "indoors", "outdoors")[int(rng.choice(3, p=(0.5, 0.2, 0.3)))],
        )


class Questions:
    """Queries of every kind that people ask."""

    def __init__(self, corpus: Corpus, seed: int) -> None:
        self._corpus, self._rng = corpus, np.random.default_rng(seed)

    def asked(self, count: int) -> dict[str, list[str]]:
        """So many of each kind."""
        made = {
            "common word": self._category,
            "rare word": lambda: self._one(self._corpus.rare),
            "kind of a category": lambda: self._word(self._one(self._corpus.kinds)),
            "two words": self._two,
            "attributes": lambda: f"{self._category()} {self._wanted()}",
            "attributes alone": self._wanted,
            "misspelt word": self._misspelt,
        }
        return {kind: [make() for _ in range(count)] for kind, make in made.items()}

    def _one(self, options: Sequence[Any]) -> Any:
        return options[int(self._rng.integers(len(options)))]

    def _word(self, kind: Kind) -> str:
        return str(self._one((kind.ja, kind.en)))

    def _category(self) -> str:
        return self._word(self._one([kind for kind in self._corpus.kinds if kind.head]))

    def _two(self) -> str:
        kind, quality, language = self._one(self._corpus.kinds), self._one(QUALITIES[:-1]), int(self._rng.integers(2))
        return f"{quality[language]} {(kind.ja, kind.en)[language]}"

    def _wanted(self) -> str:
        """One to three attributes."""
        count = int(self._rng.integers(2, 6))
        every = (f"{count}匹", self._one(("dark", "暗い", "明るい")), self._one(("outside", "外", "室内")), "左上")
        return " ".join(every[at] for at in self._rng.choice(4, int(self._rng.integers(1, 4)), replace=False))

    def _misspelt(self) -> str:
        """Two letters have changed places."""
        word = self._one([kind.en for kind in self._corpus.kinds if kind.en.isalpha() and len(kind.en) > LONG])
        at = int(self._rng.integers(1, len(word) - 2))
        return f"{word[:at]}{word[at + 1]}{word[at]}{word[at + 2 :]}"


def _unit(rows: Floats) -> Floats:
    """Each of length 1."""
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)
