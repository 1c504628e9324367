"""Finds the word of the vocabulary that somebody meant who slipped: one letter wrong, missing, doubled or swapped."""

from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from services.texts.spelling import folded, hiragana

SHORTEST: Final = 3
LONG: Final = 8
"""Letters from which on a word may have two slips."""

REMEMBERED: Final = 5_000


class Respelling:
    """The words there are, by how they begin and end: a word with one slip still begins or ends as it should."""

    def __init__(self, words: Iterable[str]) -> None:
        self._beginning: dict[str, list[tuple[str, str]]] = defaultdict(list)
        self._ending: dict[str, list[tuple[str, str]]] = defaultdict(list)
        self._right: set[str] = set()
        for word in dict.fromkeys(words):
            plain = _plain(word)
            self._right.add(plain)
            if len(heard := _heard(plain)) >= SHORTEST:
                self._beginning[heard[0]].append((heard, word))
                self._ending[heard[-1]].append((heard, word))
        self._remembered = lru_cache(REMEMBERED)(self._nearest)

    def nearest(self, typed: str) -> str | None:
        """The word that was meant; nothing where none is near, or where it is spelt as it should be."""
        plain = _plain(typed)
        found = self._remembered(plain)
        if found is None and plain.isascii() and plain.endswith("s"):
            found = self._remembered(plain[:-1])
        return found

    def _nearest(self, plain: str) -> str | None:
        if len(plain) < SHORTEST or plain in self._right:
            return None
        plain = _heard(plain)
        most = 2 if len(plain) >= LONG else 1
        near: list[tuple[int, int, int, int, str]] = []
        for place, (known, word) in enumerate([*self._beginning[plain[0]], *self._ending[plain[-1]]]):
            slips = _slips(plain, known, most)
            if slips <= most and _likely(plain, known):
                near.append((slips, known[0] != plain[0], abs(len(known) - len(plain)), place, word))
        return min(near)[-1] if near else None


def _plain(word: str) -> str:
    return hiragana(folded(word)).replace(" ", "")


def _heard(plain: str) -> str:
    """Letters that sound alike are one: dolfin is dolphin."""
    return plain.replace("ph", "f").replace("ck", "k")


def _likely(typed: str, known: str) -> bool:
    """Three Latin letters with one changed are mostly another word: cut is no slip for cat, cta and ct are."""
    return not (typed.isascii() and len(typed) == SHORTEST and len(known) == SHORTEST and set(typed) != set(known))


def _slips(typed: str, known: str, most: int) -> int:
    """How many letters were changed, left out, added, or swapped with their neighbour; one more than `most` is many."""
    if abs(len(typed) - len(known)) > most:
        return most + 1
    before, last = list[int](), list(range(len(known) + 1))
    for row, letter in enumerate(typed, 1):
        now = [row]
        for column, other in enumerate(known, 1):
            cost = min(last[column] + 1, now[-1] + 1, last[column - 1] + (letter != other))
            if row > 1 < column and letter == known[column - 2] and typed[row - 2] == other:
                cost = min(cost, before[column - 2] + 1)
            now.append(cost)
        if min(now) > most:
            return most + 1
        before, last = last, now
    return last[-1]
