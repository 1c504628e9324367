"""Texts as tables: what prepare writes, what train and evaluate read, and the gold file."""

import csv
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.input_assist.features import LABELS, encode

PREPARED = Path("data/input_assist/prepared")
GOLD = Path("data/gold/input_assist.csv")
TRAINED = Path("data/input_assist/trained")


@dataclass(frozen=True)
class Text:
    """One text with its label; `part` is train or test, in the gold file whole or typing (it ends in the middle)."""

    label: str
    language: str
    part: str
    text: str


def write(path: Path, texts: Iterable[Text]) -> None:
    """A CSV file with a header."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(field.name for field in fields(Text))
        writer.writerows(astuple(text) for text in texts)


def read(path: Path, part: str | None = None) -> list[Text]:
    """The texts of a file, or of one part of it; an unknown label is an error."""
    with path.open(encoding="utf-8", newline="") as file:
        texts = [Text(**row) for row in csv.DictReader(file)]
    if unknown := {text.label for text in texts} - set(LABELS):
        raise ValueError(f"{path}: unknown labels {', '.join(sorted(unknown))}")
    return [text for text in texts if part in (None, text.part)]


def labels(texts: Iterable[Text]) -> NDArray[np.int64]:
    """The labels as numbers, in the order of the model's output."""
    return np.array([LABELS.index(text.label) for text in texts], np.int64)


def features(text: Text) -> NDArray[np.float32]:
    """The served features of one text."""
    row: NDArray[np.float32] = encode(text.text.encode())["features"]
    return row
