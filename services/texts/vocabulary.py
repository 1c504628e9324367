"""This product's own words (`models/words.toml`): what means the same, and what is a kind of what."""

import hashlib
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict

import models
from services.texts.tokens import Token

WORDS_FILE = Path(models.__file__).with_name("words.toml")
LONGEST_PHRASE = 5

Tokenise = Callable[[str], Sequence[Token]]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CategoryWords(_Strict):
    """The words of one category."""

    label: str
    words: list[str]
    ending: str | None = None
    kinds: dict[str, list[str]]


class SameWords(_Strict):
    """Words that mean the same."""

    words: list[str]


class WordsFile(_Strict):
    """What the file holds."""

    quiet: list[str]
    category: list[CategoryWords]
    same: list[SameWords]


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a word or phrase stands for: its name in the index, what it is a kind of, and its category."""

    name: str
    broader: tuple[str, ...] = ()
    category: str | None = None


class AmbiguousWord(Exception):
    """A word of words.toml would mean two things."""


class Vocabulary:
    """Phrases as the tokenizer sees them, and their meanings."""

    def __init__(self, content: bytes, tokenise: Tokenise) -> None:
        self._tokenise = tokenise
        self._meanings: dict[tuple[str, ...], Meaning] = {}
        self.words: list[str] = []
        file = WordsFile.model_validate(tomllib.loads(content.decode()))
        for category in file.category:
            self._learn_category(category)
        for same in file.same:
            self._learn(Meaning(same.words[0]), same.words)
        self.endings: Mapping[str, Meaning] = {
            category.ending: self._meanings[self._key(category.ending)] for category in file.category if category.ending
        }
        self.quiet = frozenset(self._key(word) for word in file.quiet)
        self.version = hashlib.sha256(content).hexdigest()[:12]

    @classmethod
    def read(cls, tokenise: Tokenise, path: Path = WORDS_FILE) -> "Vocabulary":
        """The words that ship."""
        return cls(path.read_bytes(), tokenise)

    def longest(self, tokens: Sequence[Token], start: int) -> tuple[int, Meaning] | None:
        """The longest known phrase that begins there: how many tokens it has, and what it means."""
        forms = tuple(token.form for token in tokens[start : start + LONGEST_PHRASE])
        for length in range(len(forms), 0, -1):
            meaning = self._meanings.get(forms[:length])
            if meaning and not (length == 1 and tokens[start].grammar):
                return length, meaning
        return None

    def single(self, form: str) -> Meaning | None:
        """What one word means."""
        return self._meanings.get((form,))

    def _learn_category(self, category: CategoryWords) -> None:
        own = category.words[0]
        self._learn(Meaning(own, category=category.label), category.words)
        for name, words in category.kinds.items():
            self._learn(Meaning(name, (own,), category.label), [name, *words])

    def _learn(self, meaning: Meaning, words: Sequence[str]) -> None:
        self.words += words
        for word in words:
            key = self._key(word)
            known = self._meanings.setdefault(key, meaning)
            if known != meaning:
                raise AmbiguousWord(f"{word}: {known.name} or {meaning.name}")

    def _key(self, word: str) -> tuple[str, ...]:
        key = tuple(token.form for token in self._tokenise(word))
        if not 0 < len(key) <= LONGEST_PHRASE:
            raise AmbiguousWord(f"{word} has {len(key)} parts; 1 to {LONGEST_PHRASE} are looked for")
        return key
