"""The deny list: labels that no model shows anybody by itself (`models/deny_list.toml`).

A harmful confusion, a person called an animal, is worse than none. Whatever a model would have labelled so goes to a
moderator; everything that a model says and people read is asked here first.
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from pydantic import Field

import models
from models.labels import CATEGORIES, PICTURE_VIOLATIONS, TEXT_VIOLATIONS
from services.chassis.settings import Settings

FILE = Path(models.__file__).parent / "deny_list.toml"
NEAR = 0.5
MOST_KNOWN = 4096
SHORT = 2
"""So many kana say too little: `さる` is in the name of a flower."""

_KANA = re.compile(r"[ぁ-ゖー]+")
_LATIN = re.compile(r"[a-zà-ÿ0-9]+(?: [a-zà-ÿ0-9]+)*")


class DenySettings(Settings):
    """For every service that lets people read what a model says."""

    denied_labels: str = Field(
        "",
        description="Labels, comma-separated, that no model shows by itself, beside those of models/deny_list.toml.",
    )

    @property
    def deny_list(self) -> "DenyList":
        """The file's and these."""
        return DenyList.read(self.denied_labels.split(","))


class DenyList:
    """Words, compared however they are written."""

    def __init__(self, words: Iterable[str] = (), near: float = NEAR) -> None:
        self.near = near
        forms = {form for word in words if (form := plain(word))}
        latin = {form for form in forms if _LATIN.fullmatch(form)}
        self._latin = frozenset(_singular(form) for form in latin)
        self._alone = frozenset(form for form in forms if _KANA.fullmatch(form) and len(form) <= SHORT)
        self._anywhere = tuple(sorted(forms - latin - self._alone))
        self._holds = lru_cache(MOST_KNOWN)(self._looked_up)  # a platform's labels and tags are few

    @classmethod
    def read(cls, more: Iterable[str] = (), file: Path = FILE) -> "DenyList":
        """The list of the file and more words; raises when the file is none."""
        listed = tomllib.loads(file.read_text("utf-8"))
        words = [word for group in listed.get("denied", []) for word in group["words"]]
        return cls([*words, *more], float(listed.get("near", NEAR)))

    def __contains__(self, label: object) -> bool:
        return isinstance(label, str) and self._holds(label)

    def _looked_up(self, label: str) -> bool:
        return any(self._has(form) for form in {plain(name) for name in _names(label)})

    def without(self, labels: Iterable[str]) -> list[str]:
        """Those that may be shown."""
        return [label for label in labels if label not in self]

    def nearly(self, top: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
        """The best denied label that is hardly behind the first one; `top` has the best first."""
        close = (entry for entry in top if top[0]["score"] - entry["score"] < self.near)
        return next((entry for entry in close if entry["label"] in self), None)

    def _has(self, form: str) -> bool:
        if form in self._alone or any(word in form for word in self._anywhere):
            return True
        words = f" {_singular(form)} "
        return any(f" {word} " in words for word in self._latin)


def plain(word: str) -> str:
    """Without what does not matter: width, case, hiragana or katakana, joints, invisible characters."""
    word = unicodedata.normalize("NFKC", word).casefold()
    word = "".join(character for character in word if unicodedata.category(character) != "Cf")
    word = "".join(chr(ord(character) - 0x60) if "ァ" <= character <= "ヶ" else character for character in word)
    return " ".join(re.sub(r"[\W_]+", " ", word).split())


def _singular(form: str) -> str:
    """Each Latin word without the ending of a plural, right or wrong: both sides are cut alike."""
    return " ".join(re.sub(r"(?<=[a-z])s$", "", re.sub(r"ies$", "y", word)) for word in form.split())


def _names(label: str) -> tuple[str, ...]:
    """The label, and what people call it in both languages."""
    return _translations().get(label, (label,))


@cache
def _translations() -> Mapping[str, tuple[str, ...]]:
    labels = (*CATEGORIES, *PICTURE_VIOLATIONS, *TEXT_VIOLATIONS)
    return {name: (known.name, known.en, known.ja) for known in labels for name in (known.name, known.en, known.ja)}


NOTHING = DenyList()
