"""From words to terms: what a document is filed under, and what a query looks for."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

from services.texts.attributes import Wanted, heard, heard_alone, spellings
from services.texts.respelling import Respelling
from services.texts.spelling import Language, folded, language, only_kana
from services.texts.tokens import Token, Words, runs
from services.texts.vocabulary import Meaning, Vocabulary

READ_AS = "·"
"""Before how a word with kanji is read: ばら finds 薔薇, and 花 does not find 鼻."""


PARTICLES: Final = "のはがをにでとも"
"""Behind a word that is no word the dictionary sees no particle either."""

BETWEEN: Final = re.compile("[^の]+")


@dataclass(frozen=True, slots=True)
class Unit:
    """A word or phrase of a text: known to the vocabulary, or only a token."""

    token: Token | None = None
    meaning: Meaning | None = None
    quiet: bool = False
    start: int = 0
    end: int = 0

    @property
    def known(self) -> bool:
        """Whether the vocabulary says what it means."""
        return self.meaning is not None or self.quiet


SAID: Final[dict[str, tuple[str, ...]]] = {
    "dark": ("暗い",), "medium": ("普通の明るさ",), "bright": ("明るい",), "outdoors": ("外",), "indoors": ("室内",),
    "top": ("上", "top"), "bottom": ("下", "bottom"), "left": ("左", "left"), "right": ("右", "right"),
    "centre": ("真ん中", "中央", "centre", "center", "middle"),
}  # fmt: skip
"""What a text says that has the attribute: 明るい部屋 is bright, whatever the picture is."""


@dataclass(frozen=True, slots=True)
class Unfamiliar:
    """A word of a query that the vocabulary does not know, as it was typed, and which groups are made of it."""

    word: str
    groups: list[int]


@dataclass(frozen=True, slots=True)
class Respelt:
    """What was meant, if the query has slips of the pen."""

    query: str
    groups: list[list[str]]
    broader: list[list[str]]
    category: str | None


@dataclass(frozen=True, slots=True)
class Asked:
    """A query understood: for each word its alternatives, the wider ones to relax to, and attributes of the picture.

    `said` has for each attribute the terms of texts that speak of it.
    """

    language: Language
    groups: list[list[str]]
    broader: list[list[str]]
    category: str | None
    wanted: Wanted
    said: dict[str, list[str]]
    unfamiliar: list[Unfamiliar]
    respelt: Respelt | None


class Terms:
    """The rules that index and query share."""

    def __init__(self) -> None:
        self._words = Words()
        self._vocabulary = Vocabulary.read(lambda text: self._words.tokens(folded(text)))
        self._respelling = Respelling(self._vocabulary.words)
        self.version = self._vocabulary.version

    def of_text(self, text: str) -> tuple[Language, list[str]]:
        """What a text is filed under, most general terms included, each once."""
        plain = folded(text)
        found = (term for unit in self._units(plain) for term in _filed_under(unit))
        return language(plain), list(dict.fromkeys(found))

    def of_query(self, query: str) -> Asked:
        """What a query looks for: every group must be found, by any of its terms."""
        plain = folded(query)
        wanted, rest, units = self._heard(plain)
        loud = _loud(units, wanted)
        groups, wider = _groups(loud)
        unfamiliar, respelt = _unfamiliar(rest, loud, groups), self._respelt(rest, units, wanted)
        return Asked(language(plain), groups, wider, _category(loud), wanted, self._said(wanted), unfamiliar, respelt)

    def _heard(self, plain: str) -> tuple[Wanted, str, list[Unit]]:
        """The attributes, and the words that are left; a phrase of the vocabulary is a word first."""
        wanted, rest = heard(plain)
        units = list(self._units(rest))
        if _category(units):
            wanted, rest = heard_alone(wanted, rest)
            units = list(self._units(rest))
        return wanted, rest, units

    def _respelt(self, plain: str, units: Sequence[Unit], wanted: Wanted) -> Respelt | None:
        """The query without its slips; nothing where there are none."""
        changes = [change for start, end in runs(plain) if (change := self._change(plain, start, end, units))]
        for start, end, word in reversed(changes):
            plain = f"{plain[:start]} {word} {plain[end:]}"
        if not changes:
            return None
        loud = _loud(list(self._units(folded(plain))), wanted)
        return Respelt(" ".join(plain.split()), *_groups(loud), _category(loud))

    def _change(self, plain: str, start: int, end: int, units: Sequence[Unit]) -> tuple[int, int, str] | None:
        """Which part of a run without gaps is a slip, and for what: all of it, or what no known word covers."""
        own = [unit for unit in units if start <= unit.start < end]
        unknown = _uncovered(start, end, own)
        if not unknown or (not own and plain[start:end].isascii()):
            return None
        parts = (part for first, last in unknown for part in _between(plain, first, last))
        for first, last in ((start, end), *unknown, *parts):
            last = first + len(plain[first:last].rstrip(PARTICLES))
            if word := self._respelling.nearest(plain[first:last]):
                return first, last, word
        return None

    def _said(self, wanted: Wanted) -> dict[str, list[str]]:
        """The terms of texts that say what the picture should show."""
        values = {"where": wanted.where, "brightness": (wanted.brightness,), "place": (wanted.place,)}
        phrases = {name: [phrase for one in some if one for phrase in SAID[one]] for name, some in values.items()}
        phrases["count"] = spellings(wanted.count) if wanted.count else []
        terms = {name: [self.of_text(phrase)[1][:1] for phrase in some] for name, some in phrases.items()}
        return {name: list(dict.fromkeys(chain.from_iterable(some))) for name, some in terms.items() if some}

    def _units(self, plain: str) -> Iterator[Unit]:
        tokens = self._words.tokens(plain)
        at = 0
        while at < len(tokens):
            length, units = self._next(tokens, at)
            yield from units
            at += length

    def _next(self, tokens: Sequence[Token], at: int) -> tuple[int, Iterable[Unit]]:
        token = tokens[at]
        if found := self._vocabulary.longest(tokens, at):
            length, meaning = found
            return length, [Unit(meaning=meaning, start=token.start, end=tokens[at + length - 1].end)]
        if token.little:
            return 1, []
        quiet = (token.form,) in self._vocabulary.quiet
        return 1, self._compound(token) or [Unit(token, quiet=quiet, start=token.start, end=token.end)]

    def _compound(self, token: Token) -> list[Unit]:
        """黒猫 is 黒 and 猫; 柴犬 is a kind of 犬."""
        head = self._vocabulary.endings.get(token.form[-1:]) if len(token.form) > 1 else None
        if head is None:
            return []
        if first := self._vocabulary.single(token.form[:-1]):
            meanings = [first, head]
        else:
            meanings = [Meaning(token.form, (head.name,), head.category)]
        return [Unit(meaning=meaning, start=token.start, end=token.end) for meaning in meanings]


def _loud(units: Sequence[Unit], wanted: Wanted) -> Sequence[Unit]:
    """The words that say something; quiet ones do where nothing else is asked for."""
    return [unit for unit in units if not unit.quiet] or ([] if wanted else units)


def _groups(units: Sequence[Unit]) -> tuple[list[list[str]], list[list[str]]]:
    """For each word its alternatives, and the same with what it is a kind of."""
    wider = ([*_alternatives(unit), *_broader(unit)] for unit in units)
    return _once(map(_alternatives, units)), _once(wider)


def _unfamiliar(plain: str, units: Sequence[Unit], groups: Sequence[list[str]]) -> list[Unfamiliar]:
    """Words that the vocabulary does not know; Japanese ones that stand together are one: 水族 and 館."""
    return [
        Unfamiliar(
            plain[start:end],
            list(
                dict.fromkeys(groups.index(_alternatives(u)) for u in units if start <= u.start < end and not u.known)
            ),
        )
        for start, end in _stretches(units)
    ]


def _stretches(units: Sequence[Unit]) -> list[tuple[int, int]]:
    """From where to where unknown words stand without a known one or a gap between them."""
    found: list[tuple[int, int]] = []
    for unit in units:
        if unit.known:
            continue
        if found and found[-1][1] == unit.start:
            found[-1] = (found[-1][0], unit.end)
        else:
            found.append((unit.start, unit.end))
    return found


def _between(plain: str, first: int, last: int) -> Iterator[tuple[int, int]]:
    """The parts of a stretch on both sides of の, if one is in it: 窓辺 and にやんこ."""
    for part in BETWEEN.finditer(plain, first, last):
        if part.end() - part.start() < last - first:
            yield part.span()


def _uncovered(start: int, end: int, units: Sequence[Unit]) -> list[tuple[int, int]]:
    """The parts of a run that no known word covers, little words and all: ひまわい of 赤いひまわい."""
    known = [unit for unit in units if unit.known]
    edges = [start, *(edge for unit in known for edge in (unit.start, unit.end)), end]
    return [(first, last) for first, last in zip(edges[::2], edges[1::2], strict=True) if first < last]


def _category(units: Sequence[Unit]) -> str | None:
    named = (unit.meaning.category for unit in units if unit.meaning and unit.meaning.category)
    return next(named, None)


def _filed_under(unit: Unit) -> list[str]:
    if unit.meaning:
        return [unit.meaning.name, *unit.meaning.broader]
    if unit.token is None:
        return []
    return [unit.token.form, *([READ_AS + unit.token.reading] if unit.token.reading else [])]


def _alternatives(unit: Unit) -> list[str]:
    if unit.meaning:
        return [unit.meaning.name]
    if unit.token is None:
        return []
    if unit.token.reading:
        return [unit.token.form, unit.token.reading]
    return [unit.token.form, READ_AS + unit.token.form] if only_kana(unit.token.form) else [unit.token.form]


def _broader(unit: Unit) -> tuple[str, ...]:
    return unit.meaning.broader if unit.meaning else ()


def _once(groups: Iterable[list[str]]) -> list[list[str]]:
    return [list(group) for group in dict.fromkeys(tuple(group) for group in groups)]
