"""Words as the model sees them: hashes of one spelling of many. No tokenizer, so training and serving cannot differ."""

import re
import unicodedata
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.contract import Arrays, Manifest
from models.labels import CATEGORIES, names

MOST_SPELLINGS = 16
"""So many spellings of one thing are looked at; the model takes the middle of those it knows."""

MOST_PIECES = 48
"""So many pieces of words are looked at, where no spelling is known as a whole: 菓子 of 洋菓子, cats of "cats only"."""

LONGEST_PIECE = 6
MOST_CHARACTERS = 2000
LONGEST = 64
MOST_SIMILAR = 12
LONGEST_ANSWER = 32
"""Bytes of UTF-8: ten characters of Japanese. Words are answered spelt out, so that who asks needs no vocabulary."""

NOTHING = 0
"""The hash that stands for no word."""

_HIRAGANA = {code: code - 0x60 for code in range(0x30A1, 0x30F7)}
_ENGLISH = re.compile("[a-z][a-z' -]+")
_BETWEEN = re.compile(r"[\s・、/-]+")
_JAPANESE = re.compile("[\u3005\u3041-\u3096\u30fc\u3400-\u9fff]{2,}")
_KANJI = re.compile("[\u3400-\u9fff]")


def encode(raw: bytes) -> dict[str, NDArray[Any]]:
    """The hashes of one thing's spellings: UTF-8, a line each (`cats`, or ねこ, 猫 and cat)."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"the text is not UTF-8: {error.reason} at byte {error.start}") from error
    if len(text) > MOST_CHARACTERS:
        raise ValueError(f"the text has {len(text)} characters; at most {MOST_CHARACTERS} are taken")
    spellings = dict.fromkeys(word for line in text.splitlines() for word in variants(spelt(line)))
    parts = dict.fromkeys(part for word in spellings for part in pieces(word))
    return {"words": _hashes(spellings, MOST_SPELLINGS), "pieces": _hashes(parts, MOST_PIECES)}


def spelt(word: str) -> str:
    """One spelling for what differs in width, case, kana and spaces."""
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", word).casefold())
    return " ".join(text.translate(_HIRAGANA).split())[:LONGEST]


def variants(word: str) -> Iterator[str]:
    """The word, and of an English plural the singular."""
    if not word:
        return
    yield word
    if _ENGLISH.fullmatch(word) and word.endswith("s") and not word.endswith("ss") and len(word) > 3:
        yield word[:-1]
        if word.endswith("ies"):
            yield word[:-3] + "y"
        elif word.endswith("es"):
            yield word[:-2]


def pieces(word: str) -> Iterator[str]:
    """Parts of a word that may be known where it is not: of a phrase its words, of a Japanese word what is in it.

    Long ones first; one character alone counts if it is a kanji.
    """
    parts = [part for part in _BETWEEN.split(word) if part]
    if len(parts) > 1:
        yield from (form for part in parts for form in variants(part))
    for part in parts:
        for run in _JAPANESE.findall(part):
            yield from _within(run, word)


def _within(run: str, word: str) -> Iterator[str]:
    for length in range(min(len(run), LONGEST_PIECE), 0, -1):
        for at in range(len(run) - length + 1):
            piece = run[at : at + length]
            if piece != word and _KANJI.search(piece):
                yield piece


def hashed(word: str) -> int:
    """The number of a word; never that of none."""
    return zlib.crc32(word.encode()) or 1


def _hashes(words: Iterable[str], most: int) -> NDArray[np.int64]:
    """The numbers of the first words, in one row."""
    hashes = np.full((1, most), NOTHING, np.int64)
    found = [hashed(word) for word in words][:most]
    hashes[0, : len(found)] = found
    return hashes


def written(words: list[str]) -> NDArray[np.uint8]:
    """Words as the model answers them: UTF-8 with zeros behind it, a row each."""
    rows = np.zeros((len(words), LONGEST_ANSWER), np.uint8)
    for row, word in zip(rows, words, strict=True):
        content = word.encode()
        row[: len(content)] = np.frombuffer(content, np.uint8)
    return rows


def similar(outputs: Arrays) -> list[tuple[str, float]]:
    """The words of the first row, best first, and how like they are."""
    found = zip(outputs["similar"][0], outputs["score"][0], strict=True)
    return [(bytes(word).rstrip(b"\0").decode("utf-8", "replace"), float(score)) for word, score in found if score > 0]


def category(outputs: Arrays) -> tuple[str, float] | None:
    """The category that the first row is near enough to."""
    scores = outputs["category"][0]
    best = int(np.argmax(scores))
    return (names(CATEGORIES)[best], float(scores[best])) if scores[best] > 0 else None


def answer(manifest: Manifest, outputs: Arrays) -> dict[str, Any]:
    """The words most like the first row's, best first, and the category it is nearest to; nothing for unknown words."""
    near = category(outputs)
    return {
        "similar": [{"word": word, "score": round(score, 4)} for word, score in similar(outputs)],
        "category": {"label": near[0], "score": round(near[1], 4)} if near else None,
    }
