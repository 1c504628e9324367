"""The gold file: words that the product's own list does not know, and what a person would look for instead."""

import csv
from dataclasses import dataclass
from pathlib import Path

GOLD = Path("data/gold/similar_words.csv")


@dataclass(frozen=True)
class Probe:
    """A word, its language, the category it belongs to if it does, and words of which one should be found."""

    word: str
    language: str
    part: str  # choose or report
    category: str | None
    similar: tuple[str, ...]


def read(path: Path = GOLD) -> list[Probe]:
    """All probes, in order."""
    with path.open(encoding="utf-8", newline="") as file:
        return [
            Probe(row["word"], row["language"], row["part"], row["category"] or None, tuple(row["similar"].split("|")))
            for row in csv.DictReader(file)
        ]
