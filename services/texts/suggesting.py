"""What somebody may want to fill in: category, title and tags, from what is typed so far and what is in the picture.

Every suggestion says by which model it is. Titles and tags are made of the vocabulary and of fixed phrases, so that
none of them can say anything that must not be published.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from models.labels import CATEGORIES, Label
from services.deny_list import NOTHING, DenyList
from services.texts import phrases
from services.texts.phrases import Tongue
from services.texts.spelling import KANJI, folded, hiragana, only_kana
from services.texts.terms import Terms
from services.texts.vocabulary import WORDS_FILE, WordsFile

FieldName = Literal["category", "title", "tag"]

WORDS: Final = "words"
"""Who suggests what was looked up in the vocabulary: no model, and it is said."""

MOST: Final[dict[FieldName, int]] = {"category": 3, "title": 3, "tag": 5}
WORTH_A_LOOK: Final = 0.2
"""A category of the picture that is less likely is not offered."""

LIKELY: Final = 0.5
"""From here on a picture's category is good enough to make titles and tags of."""

LONGEST_TITLE: Final = 120
LONGEST_WORD: Final = 24
SHORTEST_LATIN: Final = 3
"""Letters of a word that are enough to complete it; of Japanese two characters are, or one kanji."""

LABELS: Final[dict[str, Label]] = {label.name: label for label in CATEGORIES}
PLACES: Final[dict[str, dict[Tongue, str]]] = {
    "indoors": {"ja": "室内", "en": "indoors"},
    "outdoors": {"ja": "屋外", "en": "outdoors"},
}
_LAST_LATIN = re.compile(r"(?<![^\W_])[A-Za-z]+(?: [A-Za-z]+)?$")


class _Told(BaseModel):
    model_config = ConfigDict(extra="ignore", protected_namespaces=(), frozen=True)


class Score(_Told):
    """A category and how likely it is."""

    label: str = Field(max_length=64)
    score: float = Field(ge=0, le=1)


class Answer(_Told):
    """What a model answered, and which prediction it was."""

    id: UUID | None = None
    model: str = Field(pattern="^[a-z0-9_]{1,64}$")


class Categories(Answer):
    """The categories, best first."""

    top: list[Score] = Field(max_length=20)


class SeenAttributes(Answer):
    """How many things there are, how bright it is, in what place."""

    count: int = Field(0, ge=0, le=1000)
    brightness: Literal["dark", "medium", "bright"] = "medium"
    place: Literal["indoors", "outdoors"] | None = None


class Seen(_Told):
    """What models have seen in the picture so far."""

    category: Categories | None = None
    attributes: SeenAttributes | None = None


class Suggestion(BaseModel):
    """One suggestion. `shown` is the value in the language asked for, `score` how likely the model finds it."""

    model_config = ConfigDict(protected_namespaces=(), frozen=True)
    field: FieldName
    value: str
    shown: str
    score: float | None = None
    model: str = Field(description="The model that it is by; `words` is the vocabulary.")
    prediction_id: UUID | None = None


@dataclass(frozen=True)
class Typed:
    """What is in the form, and the categories of it where a model is sure."""

    title: str
    description: str
    language: Tongue
    category: Categories | None = None

    @property
    def text(self) -> str:
        """Everything, a line each."""
        return f"{self.title}\n{self.description}".strip()


@dataclass(frozen=True)
class Kind:
    """A kind of a category, and what else it is called."""

    category: str
    name: str
    words: Sequence[str]

    @property
    def spellings(self) -> Sequence[str]:
        """Every way to write it; what is in katakana may be typed in hiragana."""
        words = (self.name, *self.words)
        return list(dict.fromkeys((*words, *(hiragana(word) for word in words if only_kana(word)))))

    def called(self, language: Tongue) -> str | None:
        """Its name in that language, where the vocabulary has one."""
        return next((w for w in (self.name, *self.words) if w.isascii() == (language == "en")), None)


class Suggesting:
    """Knows the vocabulary."""

    def __init__(self, terms: Terms, deny_list: DenyList = NOTHING) -> None:
        self._terms, self._deny_list = terms, deny_list
        file = WordsFile.model_validate(tomllib.loads(WORDS_FILE.read_text("utf-8")))
        known = [category for category in file.category if category.label in LABELS]
        self._own = {category.words[0]: category.label for category in known}
        self._kinds = {n: Kind(c.label, n, words) for c in known for n, words in c.kinds.items()}

    def suggestions(self, typed: Typed, seen: Seen) -> list[Suggestion]:
        """The best of each field, without what is in the form already."""
        found: dict[FieldName, Iterable[Suggestion]] = {
            "category": self._categories(typed, seen),
            "title": self._titles(typed, seen),
            "tag": self._tags(typed, seen),
        }
        return [one for field, some in found.items() for one in islice(_once(self._allowed(some)), MOST[field])]

    def _allowed(self, some: Iterable[Suggestion]) -> Iterator[Suggestion]:
        return (one for one in some if one.value not in self._deny_list and one.shown not in self._deny_list)

    def _categories(self, typed: Typed, seen: Seen) -> Iterator[Suggestion]:
        """What the words say comes first: the owner chose them. What both say is by the one who is surer."""
        told = [*_likely(typed.category, typed.language, least=0.0), *self._looked_up(typed)][:1]
        pictured = list(_likely(seen.category, typed.language))
        for one in told:
            same = [other for other in pictured if other.value == one.value]
            yield max([one, *same], key=lambda each: each.score or 0)
        yield from pictured

    def _looked_up(self, typed: Typed) -> Iterator[Suggestion]:
        category = self._terms.of_query(typed.text).category if typed.text else None
        if category in LABELS:
            yield _category(category, typed.language, WORDS)

    def _titles(self, typed: Typed, seen: Seen) -> Iterator[Suggestion]:
        if typed.title.strip():
            yield from self._completions(typed, seen)
            return
        best = _best(seen)
        if best is None or seen.category is None:
            return
        category, language = best.label, typed.language
        if more := seen.attributes:
            said = phrases.detailed(category, language, count=more.count, brightness=more.brightness, place=more.place)
            yield from (_words("title", title, more.model, more.id) for title in said)
        for title in phrases.plain(category, language):
            yield _words("title", title, seen.category.model, seen.category.id)

    def _completions(self, typed: Typed, seen: Seen) -> Iterator[Suggestion]:
        """The last word of the title, finished: what is typed stays as it is."""
        best = _best(seen)
        wanted = best.label if best else typed.category.top[0].label if typed.category else None
        found = [
            (-len(begun), kind.category != wanted, len(word), typed.title + word[len(begun) :])
            for begun in _beginnings(typed.title)
            for kind in self._kinds.values()
            for word in kind.spellings
            if len(begun) < len(word) <= LONGEST_WORD and word.casefold().startswith(begun.casefold())
        ]
        for *_, title in sorted(found):
            if len(title) <= LONGEST_TITLE:
                yield _words("title", title, WORDS)

    def _tags(self, typed: Typed, seen: Seen) -> Iterator[Suggestion]:
        written = folded(typed.text)
        for one in self._all_tags(typed, seen):
            if f"#{folded(one.value)}" not in written:
                yield one

    def _all_tags(self, typed: Typed, seen: Seen) -> Iterator[Suggestion]:
        names = self._terms.of_text(typed.text)[1] if typed.text else []
        for name in names:
            kind = self._kinds.get(name)
            if kind and (word := kind.called(typed.language)):
                yield _words("tag", _one_word(word), WORDS)
        for label in [self._own[name] for name in names if name in self._own]:
            yield _words("tag", _called(label, typed.language), WORDS)
        if seen.category and (best := _best(seen)):
            yield _words("tag", _called(best.label, typed.language), seen.category.model, seen.category.id)
        if seen.attributes and seen.attributes.place:
            place = PLACES[seen.attributes.place][typed.language]
            yield _words("tag", place, seen.attributes.model, seen.attributes.id)


def _likely(answer: Categories | None, language: Tongue, least: float = WORTH_A_LOOK) -> Iterator[Suggestion]:
    if answer is None:
        return
    for one in answer.top:
        if one.label in LABELS and one.score >= least:
            yield _category(one.label, language, answer.model, answer.id, one.score)


def _category(
    label: str, language: Tongue, model: str, prediction_id: UUID | None = None, score: float | None = None
) -> Suggestion:
    return Suggestion(
        field="category",
        value=label,
        shown=_called(label, language),
        score=score,
        model=model,
        prediction_id=prediction_id,
    )


def _words(field: FieldName, value: str, model: str, prediction_id: UUID | None = None) -> Suggestion:
    return Suggestion(field=field, value=value, shown=value, model=model, prediction_id=prediction_id)


def _best(seen: Seen) -> Score | None:
    """The picture's category, where it is likely enough."""
    top = seen.category.top[0] if seen.category and seen.category.top else None
    return top if top and top.label in LABELS and top.score >= LIKELY else None


def _called(label: str, language: Tongue) -> str:
    return str(getattr(LABELS[label], language))


def _one_word(words: str) -> str:
    """A tag has no spaces: `tabby cat` is #tabbycat."""
    return words.replace(" ", "")


def _beginnings(title: str) -> Iterator[str]:
    """What may be the beginning of a word at the end of the title: the longest first."""
    if latin := _LAST_LATIN.search(title):
        for begun in (latin[0], latin[0].rpartition(" ")[2]):
            if len(begun) >= SHORTEST_LATIN:
                yield begun
        return
    for length in range(min(LONGEST_WORD, len(title)), 0, -1):
        begun = title[-length:]
        if length > 1 or re.match(f"[{KANJI}]", begun):
            yield begun


def _once(some: Iterable[Suggestion]) -> Iterator[Suggestion]:
    """Each value once, as it comes first."""
    known: set[str] = set()
    for one in some:
        if one.value not in known:
            known.add(one.value)
            yield one
