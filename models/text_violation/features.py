"""A text as the model sees it: hashed character sequences, the same in training and serving.

No tokenizer and no vocabulary, so it treats Japanese, English and misspellings alike.
"""

import re
import unicodedata
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.contract import Arrays, Manifest
from models.labels import TEXT_VIOLATIONS, names

SIZE = 2**14
LONGEST = 4
"""Sequences of one to four characters."""

MOST_CHARACTERS = 20_000
"""Nine times the longest item; a longer text would keep a host busy for long."""

ENDINGS = "com|net|org|info|biz|xyz|top|shop|site|online|club|link|click|ly|me|gl|jp|example"
ADDRESS = re.compile(
    r"(?:https?://|www\.)\S+|(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}\.[\w.]+"
    rf"|(?<![a-z0-9.-])[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:{ENDINGS})(?![a-z0-9.])(?:/\S*)?"
)
"""Parts are bounded as the standards have them: what is not makes the time grow with the square of a text's length."""

TELEPHONE = re.compile(r"(?<!\d)0\d{1,3}-\d{2,4}-\d{3,4}(?!\d)|\+\d[\d -]{7,}\d")
NUMBER = re.compile(r"\d+(?:[.,:/-]\d+)*")
"""One number, price, date or time: how long it is says nothing about what is meant."""

UNSEEN = re.compile("[\u200b-\u200d\u2060\ufe0f\ufeff\u00ad]")
JAPANESE = "[\u3040-\u30ff\u3400-\u9fff]"
GAP = re.compile(rf"(?<={JAPANESE})[ \t]+(?={JAPANESE})")
"""Japanese has no spaces between words; who puts some in, writes the same."""

SPELT_OUT = re.compile(r"(?<!\w)\w(?: \w){2,}(?!\w)")
SPACES = re.compile(r"\s+")


def encode(raw: bytes) -> dict[str, NDArray[Any]]:
    """The features of one UTF-8 text (an item's title and description, a line each)."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"the text is not UTF-8: {error.reason} at byte {error.start}") from error
    if len(text) > MOST_CHARACTERS:
        raise ValueError(f"the text has {len(text)} characters; at most {MOST_CHARACTERS} are taken")
    return {"features": vector(text)[None, :]}


def normalise(text: str) -> str:
    """One spelling for what means the same: width, case, addresses, numbers, white space."""
    text = UNSEEN.sub("", unicodedata.normalize("NFKC", text).casefold())
    text = ADDRESS.sub(" \u2192url ", text)
    text = TELEPHONE.sub(" \u2192tel ", text)
    text = SPACES.sub(" ", GAP.sub("", NUMBER.sub("0", text))).strip()
    text = SPELT_OUT.sub(lambda letters: letters[0].replace(" ", ""), text)
    return f" {text} "


def vector(text: str) -> NDArray[np.float32]:
    """Counts of the hashed sequences, damped by log1p, of length 1."""
    text = normalise(text)
    hashes = [
        zlib.crc32(text[start : start + length].encode())
        for length in range(1, LONGEST + 1)
        for start in range(len(text) - length + 1)
    ]
    counts = np.bincount(np.array(hashes, np.int64) % SIZE, minlength=SIZE)
    damped = np.log1p(counts.astype(np.float32))
    return (damped / max(float(np.linalg.norm(damped)), 1e-9)).astype(np.float32)


def answer(manifest: Manifest, outputs: Arrays) -> dict[str, Any]:
    """What the first row of the outputs means; the score is the chance of being a violation."""
    chances = outputs["violation"][0]
    labels = manifest.output("violation").labels or tuple(names(TEXT_VIOLATIONS))
    order = np.argsort(-chances, kind="stable")
    return {
        "violation": {
            "label": labels[int(order[0])],
            "score": float(1 - chances[0]),
            "top": [{"label": labels[int(i)], "score": float(chances[i])} for i in order],
        }
    }
