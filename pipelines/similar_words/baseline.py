"""What anybody would try first: the words of the product's own list that are spelt most alike.

`models/words.toml` alone knows none of the probes: that is how they were chosen.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from models.similar_words.features import MOST_SIMILAR, spelt
from pipelines.similar_words.corpus import of_categories

ALIKE = 0.5
"""Share of letter pairs that two words must have in common."""


@dataclass(frozen=True)
class Said:
    """What somebody says of a word: similar words, best first, and a category."""

    similar: Sequence[str]
    category: str | None


class SpeltAlike:
    """Dice's coefficient on pairs of letters."""

    def __init__(self) -> None:
        self._known = [(word, label, pairs(word)) for label, words in of_categories().items() for word in words]

    def __call__(self, word: str) -> Said:
        """The nearest words of the list, and the category of the nearest."""
        own = pairs(word)
        scored = [(2 * len(own & other) / (len(own) + len(other)), known, label) for known, label, other in self._known]
        near = sorted((one for one in scored if one[0] >= ALIKE), key=lambda one: -one[0])[:MOST_SIMILAR]
        return Said([word for _, word, _ in near], near[0][2] if near else None)


def pairs(word: str) -> frozenset[str]:
    """Letters beside each other, with the word's ends."""
    text = f" {spelt(word)} "
    return frozenset(text[at : at + 2] for at in range(len(text) - 1))
