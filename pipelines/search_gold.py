"""The gold file of searches: queries written by hand, and what a person expects to find with each."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.similar_words.features import spelt

GOLD = Path("data/gold/search.csv")
FIRST = 5
"""Among so many results it has to be: what is seen without scrolling."""


@dataclass(frozen=True)
class Search:
    """A query, its kind, and what one of the first results must be: of a category, or with one of these words."""

    query: str
    kind: str
    category: str | None
    words: tuple[str, ...]

    def fits(self, item: Mapping[str, Any]) -> bool:
        """Whether an item is what was asked for: the words say more than the category that a model saw."""
        if not self.words:
            return bool(item["category"] == self.category)
        text = spelt(" ".join([item["title"], item["description"], *item["tags"]]))
        return any(spelt(word) in text for word in self.words)


@dataclass(frozen=True)
class Found:
    """A search and its answer."""

    search: Search
    results: Sequence[Mapping[str, Any]]
    wanted: int = 0
    """How many attributes the query was understood to name."""
    ranker: str = "default"
    """Who ordered the results."""

    @property
    def nothing(self) -> bool:
        """Whether it was answered with nothing."""
        return not self.results

    @property
    def success(self) -> bool:
        """Whether one of the first results is what was asked for, with all attributes where there is such an item."""
        fitting = [item for item in self.results if self.search.fits(item)]
        first = [item for item in self.results[:FIRST] if self.search.fits(item)]
        if any(self._whole(item) for item in fitting):
            return any(self._whole(item) for item in first)
        return bool(first)

    def _whole(self, item: Mapping[str, Any]) -> bool:
        return self.wanted > 0 and len(item.get("has") or ()) == self.wanted


def read(path: Path = GOLD) -> list[Search]:
    """All queries, in order."""
    with path.open(encoding="utf-8", newline="") as file:
        return [
            Search(row["query"], row["kind"], row["category"] or None, tuple(filter(None, row["words"].split("|"))))
            for row in csv.DictReader(file)
        ]
