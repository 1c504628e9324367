"""Makes one spelling of many: width, case, accents, long vowels; and says which language a text is in."""

import re
import unicodedata
from typing import Final, Literal

Language = Literal["ja", "en", "mixed", "other"]

KANA: Final = "\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff"
KANJI: Final = "\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
JAPANESE: Final = KANA + KANJI

_LONG_VOWEL = re.compile(f"(?<=[{KANA}])[~〜‐‑‒–—―−-]+(?=[{KANA}]|$)")
_LONG_VOWELS = re.compile("ーー+")
_DRAWN_OUT = re.compile(f"(?<=[\u3041-\u3096])ー(?![{JAPANESE}])")
_KATAKANA = {code: code - 0x60 for code in range(0x30A1, 0x30F7)}
_ONLY_KANA = re.compile(f"[{KANA}]+")
_JAPANESE_CHARACTER = re.compile(f"[{JAPANESE}]")
_LATIN_CHARACTER = re.compile("[a-z]")
_ACCENTED = re.compile("[\u00c0-\u024f\u1e00-\u1eff]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")

MINOR_SHARE: Final = 0.2
"""A language with a smaller share of the text does not make it mixed: one "A" in a Japanese sentence does not."""

LETTERS_IN_A_CHARACTER: Final = 3
"""So many Latin letters say about as much as one Japanese character."""


def folded(text: str) -> str:
    """Full and half width, case and accents, ラ〜メン and ラーメン, ねこーー and ねこ become one."""
    text = _without_accents(unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()))
    text = _LONG_VOWELS.sub("ー", _LONG_VOWEL.sub("ー", text))
    return _DRAWN_OUT.sub("", text)


def hiragana(text: str) -> str:
    """Katakana as hiragana; everything else stays."""
    return text.translate(_KATAKANA)


def only_kana(text: str) -> bool:
    """Whether it is written in hiragana and katakana alone."""
    return _ONLY_KANA.fullmatch(text) is not None


def language(text: str) -> Language:
    """By script: Japanese, English (Latin letters), both, or neither."""
    japanese = LETTERS_IN_A_CHARACTER * len(_JAPANESE_CHARACTER.findall(text))
    latin = len(_LATIN_CHARACTER.findall(text))
    if not japanese and not latin:
        return "other"
    share = latin / (japanese + latin)
    if share < MINOR_SHARE:
        return "ja"
    return "en" if share > 1 - MINOR_SHARE else "mixed"


def control_character(text: str) -> int | None:
    """Where the first control character is; tabs and line breaks are none."""
    found = _CONTROL.search(text)
    return found.start() if found else None


def _without_accents(text: str) -> str:
    """Café is cafe; the marks of が and ぱ are letters and stay."""
    return text if text.isascii() else _ACCENTED.sub(_base, text)


def _base(accented: re.Match[str]) -> str:
    first = unicodedata.normalize("NFD", accented[0])[0]
    return first if first.isascii() else accented[0]
