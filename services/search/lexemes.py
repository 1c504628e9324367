"""Writes terms as PostgreSQL's full-text types, and one spelling of a text for slips of the pen."""

import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from typing import Final, Literal

Weight = Literal["A", "B", "C", "D"]
WEIGHTS: Final = "{0.1, 0.2, 0.5, 1.0}"
"""Of D, C, B and A: a word in the description, nothing, category and tags, the title."""

CONTROL: Final = ("Cc", "Cs", "Zl", "Zp")
LONGEST: Final = 256
"""Characters of a term; PostgreSQL refuses more than 2,046 bytes."""

MOST_POSITIONS: Final = 16_000
_HIRAGANA = {code: code - 0x60 for code in range(0x30A1, 0x30F7)}


def vector(terms: Sequence[tuple[Weight, Sequence[str]]]) -> str:
    """A tsvector: each term with where it stands and how much that counts."""
    places: dict[str, list[str]] = defaultdict(list)
    position = 0
    for weight, names in terms:
        for name in names:
            position = min(position + 1, MOST_POSITIONS)
            places[name[:LONGEST]].append(f"{position}{weight}")
    return " ".join(f"{quoted(name)}:{','.join(found)}" for name, found in places.items())


def all_of(groups: Sequence[Sequence[str]]) -> str:
    """A tsquery: of every group one term."""
    return " & ".join(_one_of(group) for group in groups)


def or_also(query: str, phrases: Sequence[Sequence[str]]) -> str:
    """A tsquery: what the query finds, or all terms of one of the phrases."""
    return (
        f"({' | '.join(f'({one})' for one in (query, *(all_of([[term] for term in phrase]) for phrase in phrases)))})"
    )


def any_of(groups: Sequence[Sequence[str]]) -> str:
    """A tsquery: of any group one term."""
    return " | ".join(_one_of(group) for group in groups)


def quoted(name: str) -> str:
    """A term that PostgreSQL takes as it is."""
    doubled = name[:LONGEST].replace("\\", "\\\\").replace("'", "''")
    return f"'{doubled}'"


def plain(text: str) -> str:
    """One width, one case, one kana, single spaces."""
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(text.translate(_HIRAGANA).split())


def printable(text: str) -> str:
    """The text with spaces where control characters were."""
    return "".join(
        " " if unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") else character for character in text
    )


def _one_of(group: Sequence[str]) -> str:
    return f"({' | '.join(quoted(name) for name in group)})"
