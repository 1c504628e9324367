"""All words people see, in one catalogue per language, and which language somebody wants."""

import tomllib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from models.labels import CATEGORIES, PICTURE_VIOLATIONS, TEXT_VIOLATIONS

LANGUAGES = ("en", "ja")
FOLDER = Path(__file__).parent / "words"


class WordMissing(KeyError):
    """A page uses words that the catalogue does not have."""


class Words:
    """The catalogue of one language."""

    def __init__(self, language: str, entries: Mapping[str, str]) -> None:
        self.language, self.entries = language, entries
        labels = (*PICTURE_VIOLATIONS, *TEXT_VIOLATIONS, *CATEGORIES)
        self._labels: dict[str, str] = {label.name: getattr(label, language) for label in labels}
        self._labels |= {label.ja: getattr(label, language) for label in CATEGORIES}

    def __call__(self, key: str, **values: Any) -> str:
        """The words of that key with the values filled in."""
        if key not in self.entries:
            raise WordMissing(key)
        return self.entries[key].format(**values)

    def __contains__(self, key: str) -> bool:
        return key in self.entries

    def either(self, *keys: str, otherwise: str = "") -> str:
        """The words of the first key there is."""
        return next((self.entries[key] for key in keys if key in self.entries), otherwise)

    def label(self, name: str | None) -> str:
        """What people call a label of a model; an unknown one is shown as it is."""
        return self._labels.get(name or "", name or "")

    def tags(self, names: Iterable[str]) -> list[str]:
        """Tags in this language, each once: they come in both."""
        return list(dict.fromkeys(self.label(name) for name in names))

    def ago(self, moment: datetime, now: datetime | None = None) -> str:
        """How long ago that was."""
        seconds = max(0, int(((now or datetime.now(UTC)) - moment).total_seconds()))
        for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
            if seconds >= size:
                return self(f"ago.{unit}", count=seconds // size)
        return self("ago.now")


def read_words() -> dict[str, Words]:
    """Both catalogues."""
    return {language: Words(language, flat(FOLDER / f"{language}.toml")) for language in LANGUAGES}


def flat(path: Path) -> dict[str, str]:
    """The catalogue with dotted keys."""
    return dict(_flattened(tomllib.loads(path.read_text(encoding="utf-8")), ""))


def _flattened(table: Mapping[str, Any], prefix: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for key, value in table.items():
        name = f"{prefix}{key}"
        found += _flattened(value, f"{name}.") if isinstance(value, dict) else [(name, str(value))]
    return found


def wanted(cookie: str | None, accept: str | None) -> str:
    """The language somebody chose, else the one the browser prefers, else English."""
    if cookie in LANGUAGES:
        return cookie
    ranked = sorted(_preferences(accept or ""), key=lambda entry: -entry[1])
    return next((language for language, weight in ranked if language in LANGUAGES and weight > 0), "en")


def _preferences(accept: str) -> list[tuple[str, float]]:
    found = []
    for part in accept.split(","):
        tag, _, weight = part.strip().partition(";q=")
        try:
            found.append((tag.split("-")[0].lower(), float(weight or 1)))
        except ValueError:
            continue
    return found
