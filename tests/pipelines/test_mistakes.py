"""What a card shows of a model's mistakes."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from pipelines.mistakes import LONGEST, mistakes_picture, mistakes_table, surest

NAMES = ("cat", "dog")
TRUTH, SAID = np.array([0, 0, 1, 1, 0]), np.array([0, 1, 0, 1, 1])
SCORES = np.array([0.99, 0.6, 0.9, 0.8, 0.6])


def test_the_surest_come_first_and_nothing_that_is_right() -> None:
    assert surest(TRUTH, SAID, SCORES, 9) == [2, 1, 4]
    assert surest(TRUTH, SAID, SCORES, 1) == [2]
    assert surest(TRUTH, TRUTH, SCORES, 9) == []


def test_texts_stay_in_their_cell() -> None:
    texts = ["right", "a | b\nc", "x" * 200, "right", "ねこ"]
    rows = mistakes_table(TRUTH, SAID, SCORES, NAMES, texts, 2).splitlines()[2:]
    assert rows == [f"| {'x' * (LONGEST - 1)}… | dog | cat (90%) |", "| a / b c | cat | dog (60%) |"]


def test_the_picture_is_of_the_mistakes_alone(tmp_path: Path) -> None:
    asked: list[int] = []

    def picture(place: int) -> bytes:
        asked.append(place)
        out = io.BytesIO()
        Image.new("RGB", (8, 8), (place * 40, 0, 0)).save(out, "PNG")
        return out.getvalue()

    for name in ("one.png", "other.png"):
        mistakes_picture(TRUTH, SAID, SCORES, NAMES, picture, tmp_path / name)
    assert asked == [2, 1, 4] * 2
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "other.png").read_bytes()
