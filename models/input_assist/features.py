"""A text that is being typed as the model sees it: hashed character sequences, the same in training and serving.

Whatever is typed may end in the middle of a word, so there is no tokenizer: the beginning of a word has features of
its own. Katakana and hiragana are one, for people write ねこ and ネコ.
"""

import re
import unicodedata
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.contract import Arrays, Manifest
from models.labels import CATEGORIES, names

NONE = "none"
LABELS = (NONE, *names(CATEGORIES))
"""Order is the order of the `category` tensor; the first is a text that names no category (yet)."""

SIZE = 2**14
LONGEST = 5
"""Sequences of one to five characters."""

MOST_CHARACTERS = 20_000
"""Nine times the longest item; a longer text would keep a host busy for long."""

HIRAGANA = {code: code - 0x60 for code in range(0x30A1, 0x30F7)}
UNSEEN = re.compile("[\u200b-\u200d\u2060\ufe0f\ufeff\u00ad]")
NO_WORD = re.compile(r"[\W_]+")
NUMBER = re.compile(r"\d+")


def encode(raw: bytes) -> dict[str, NDArray[Any]]:
    """The features of one UTF-8 text (title and description as far as they are typed, a line each)."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"the text is not UTF-8: {error.reason} at byte {error.start}") from error
    if len(text) > MOST_CHARACTERS:
        raise ValueError(f"the text has {len(text)} characters; at most {MOST_CHARACTERS} are taken")
    return {"features": vector(text)[None, :]}


def normalise(text: str) -> str:
    """One spelling for what means the same: width, case, kana, numbers, whatever stands between words."""
    text = UNSEEN.sub("", unicodedata.normalize("NFKC", text).casefold()).translate(HIRAGANA)
    return f" {NUMBER.sub('0', NO_WORD.sub(' ', text)).strip()} "


def vector(text: str) -> NDArray[np.float32]:
    """Counts of the hashed sequences, damped by log1p, of length 1."""
    text = normalise(text)
    hashes = [
        zlib.crc32(text[start : start + length].encode())
        for length in range(1, LONGEST + 1)
        for start in range(len(text) - length + 1)
        if text[start : start + length] != " "
    ]
    counts = np.bincount(np.array(hashes, np.int64) % SIZE, minlength=SIZE)
    damped = np.log1p(counts.astype(np.float32))
    return (damped / max(float(np.linalg.norm(damped)), 1e-9)).astype(np.float32)


def answer(manifest: Manifest, outputs: Arrays) -> dict[str, Any]:
    """What the first row of the outputs means; `sure` says whether it is worth a suggestion."""
    chances = outputs["category"][0]
    order = np.argsort(-chances, kind="stable")
    best = LABELS[int(order[0])]
    return {
        "category": {
            "label": best,
            "score": float(chances[order[0]]),
            "sure": best != NONE and float(chances[order[0]]) >= manifest.thresholds.get("category_sure", 1.0),
            "top": [{"label": LABELS[int(i)], "score": float(chances[i])} for i in order[:3]],
        }
    }
