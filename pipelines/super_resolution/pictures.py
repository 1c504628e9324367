"""What the card shows: the same piece as it was uploaded, enlarged by a formula, by the model, and the truth."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from pipelines.super_resolution.judging import BICUBIC, FORMULAS, Enlarge
from pipelines.super_resolution.pairs import halved

SIDE, SHOWN, GAP = 96, 192, 6
"""Pixels of the piece in the truth, and of its tile."""


def compared(wholes: Sequence[Image.Image], enlarge: Enlarge, path: Path) -> None:
    """A row for each picture, with the piece of it in which most happens."""
    rows = [tiles(whole, enlarge) for whole in wholes]
    across, down = len(rows[0]), len(rows)
    sheet = Image.new("RGB", (across * (SHOWN + GAP) - GAP, down * (SHOWN + GAP) - GAP), "white")
    for y, row in enumerate(rows):
        for x, tile in enumerate(row):
            sheet.paste(tile, (x * (SHOWN + GAP), y * (SHOWN + GAP)))
    sheet.save(path)


def tiles(whole: Image.Image, enlarge: Enlarge) -> list[Image.Image]:
    """The half, bicubic, the model's, the truth."""
    half = np.asarray(halved(whole), np.uint8)
    left, top = busiest(whole)
    box = (left, top, left + SIDE, top + SIDE)
    small = Image.fromarray(half).crop(tuple(edge // 2 for edge in box))  # type: ignore[arg-type]
    larger = [Image.fromarray(way(half)).crop(box) for way in (FORMULAS[BICUBIC], enlarge)]
    return [tile.resize((SHOWN, SHOWN), Image.Resampling.NEAREST) for tile in (small, *larger, whole.crop(box))]


def busiest(whole: Image.Image) -> tuple[int, int]:
    """Where the piece with the most contrast between neighbours begins."""
    grey = np.asarray(whole.convert("L"), np.float32)
    change = np.abs(np.diff(grey, axis=0))[:, :-1] + np.abs(np.diff(grey, axis=1))[:-1]
    places = [
        (float(change[top : top + SIDE, left : left + SIDE].sum()), left, top)
        for top in range(0, whole.height - SIDE + 1, SIDE // 2)
        for left in range(0, whole.width - SIDE + 1, SIDE // 2)
    ]
    _, left, top = max(places)
    return left, top
