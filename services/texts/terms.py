"""From words to terms: what a document is filed under, and what a query looks for."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

from services.texts.attributes import Wanted, heard, heard_alone, spellings
from services.texts.spelling import Language, folded, language, only_kana
from services.texts.tokens import Token, Words
from services.texts.vocabulary import Meaning, Vocabulary

READ_AS = "·"
"""Before how a word with kanji is read: ばら finds 薔薇, and 花 does not find 鼻."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A word or phrase of a text: known to the vocabulary, or only a token."""

    token: Token | None = None
    meaning: Meaning | None = None
    quiet: bool = False


SAID: Final[dict[str, tuple[str, ...]]] = {
    "dark": ("暗い",), "medium": ("普通の明るさ",), "bright": ("明るい",), "outdoors": ("外",), "indoors": ("室内",),
    "top": ("上", "top"), "bottom": ("下", "bottom"), "left": ("左", "left"), "right": ("右", "right"),
    "centre": ("真ん中", "中央", "centre", "center", "middle"),
}  # fmt: skip
"""What a text says that has the attribute: 明るい部屋 is bright, whatever the picture is."""


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


class Terms:
    """The rules that index and query share."""

    def __init__(self) -> None:
        self._words = Words()
        self._vocabulary = Vocabulary.read(lambda text: self._words.tokens(folded(text)))
        self.version = self._vocabulary.version

    def of_text(self, text: str) -> tuple[Language, list[str]]:
        """What a text is filed under, most general terms included, each once."""
        plain = folded(text)
        found = (term for unit in self._units(plain) for term in _filed_under(unit))
        return language(plain), list(dict.fromkeys(found))

    def of_query(self, query: str) -> Asked:
        """What a query looks for: every group must be found, by any of its terms."""
        plain = folded(query)
        wanted, units = self._heard(plain)
        loud = [unit for unit in units if not unit.quiet] or ([] if wanted else units)
        groups = [_alternatives(unit) for unit in loud]
        wider = [[*_alternatives(unit), *_broader(unit)] for unit in loud]
        return Asked(language(plain), _once(groups), _once(wider), _category(loud), wanted, self._said(wanted))

    def _heard(self, plain: str) -> tuple[Wanted, list[Unit]]:
        """The attributes, and the words that are left; a phrase of the vocabulary is a word first."""
        wanted, rest = heard(plain)
        units = list(self._units(rest))
        if _category(units):
            wanted, rest = heard_alone(wanted, rest)
            units = list(self._units(rest))
        return wanted, units

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
            return found[0], [Unit(meaning=found[1])]
        if token.little:
            return 1, []
        return 1, self._compound(token) or [Unit(token, quiet=(token.form,) in self._vocabulary.quiet)]

    def _compound(self, token: Token) -> list[Unit]:
        """黒猫 is 黒 and 猫; 柴犬 is a kind of 犬."""
        head = self._vocabulary.endings.get(token.form[-1:]) if len(token.form) > 1 else None
        if head is None:
            return []
        if first := self._vocabulary.single(token.form[:-1]):
            return [Unit(meaning=first), Unit(meaning=head)]
        return [Unit(meaning=Meaning(token.form, (head.name,), head.category))]


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


def _once(groups: list[list[str]]) -> list[list[str]]:
    return [list(group) for group in dict.fromkeys(tuple(group) for group in groups)]
