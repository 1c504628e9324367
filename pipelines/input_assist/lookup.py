"""The baseline: whether a word of the vocabulary (`models/words.toml`) stands in the text. The longest one decides."""

import re
import tomllib
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from models.input_assist.features import HIRAGANA, NONE

WORDS = Path("models/words.toml")
SHORTEST_PREFIX = 3


class Lookup:
    """The words of all categories."""

    def __init__(self, content: str) -> None:
        file = tomllib.loads(content)
        self.words = {category["label"]: tuple(words_of(category)) for category in file["category"]}
        found = {folded(word): label for label, words in self.words.items() for word in words}
        self._known = sorted(found.items(), key=lambda entry: -len(entry[0]))

    @classmethod
    def read(cls, path: Path = WORDS) -> "Lookup":
        """The words that ship."""
        return cls(path.read_text("utf-8"))

    def category(self, text: str) -> str:
        """The category that a word of the text names, or that its last word is the beginning of; else `none`."""
        text = folded(text)
        named = next((label for word, label in self._known if stands(word, text)), None)
        return named or self._begun(text)

    def _begun(self, text: str) -> str:
        last = re.split(r"[\W_]+", text)[-1]
        if len(last) < SHORTEST_PREFIX:
            return NONE
        begun = {label for word, label in self._known if word.startswith(last)}
        return begun.pop() if len(begun) == 1 else NONE


def words_of(category: dict[str, object]) -> Iterator[str]:
    """The words of a category, its kinds and theirs."""
    yield from category["words"]  # type: ignore[misc]
    for name, others in category["kinds"].items():  # type: ignore[attr-defined]
        yield from (name, *others)


def folded(text: str) -> str:
    """Width, case and kana as one."""
    return unicodedata.normalize("NFKC", text).casefold().translate(HIRAGANA)


def stands(word: str, text: str) -> bool:
    """Whether the word is in the text: Latin ones as words (or their plural), Japanese ones anywhere."""
    if word.isascii():
        return re.search(rf"(?<![a-z]){re.escape(word)}(?:s|es)?(?![a-z])", text) is not None
    return word in text
