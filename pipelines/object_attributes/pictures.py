"""What the card shows: scenes with the drawn and the found boxes, and how often which count is taken for which."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from models.object_attributes.finding import Rules, found, prominent
from pipelines.object_attributes.judging import Judged, counts, drawn, hits

TILE, GAP, ACROSS = 160, 6, 6
DRAWN, RIGHT, WRONG = "#1f9d55", "#2b6cb0", "#e53e3e"
Floats = NDArray[np.float32]


def right_and_wrong(judged: Judged, pictures: Sequence[bytes], rules: Rules, path: Path) -> None:
    """First two rows of scenes whose count is right, then two in which the best-scored mistakes were made."""
    truth, said = counts(judged, rules)
    busy = [i for i in range(len(truth)) if truth[i] == said[i] and truth[i] >= 1]
    wrong = sorted((i for i in range(len(truth)) if truth[i] != said[i]), key=lambda i: -_worst(judged, i, rules))
    chosen = busy[: 2 * ACROSS] + wrong[: 2 * ACROSS]
    tiles = [tile(pictures[i], drawn(judged.rows[i]), found(judged.boxes[i], rules)) for i in chosen]
    sheet(tiles).save(path)


def _worst(judged: Judged, index: int, rules: Rules) -> float:
    """The score of the surest wrong box; of what was only overlooked, less than any."""
    boxes = found(judged.boxes[index], rules)
    right = hits(boxes, prominent(drawn(judged.rows[index]), rules))
    return max((float(box[4]) for box, hit in zip(boxes, right, strict=True) if not hit), default=0.0)


def photos(raws: Sequence[bytes], boxes: Sequence[Floats], path: Path) -> None:
    """Photos of real things with what is found in them; nobody drew what is right."""
    tiles = [tile(raw, None, found_in) for raw, found_in in zip(raws, boxes, strict=True)]
    sheet(tiles).save(path)


def tile(raw: bytes, truth: Floats | None, boxes: Floats) -> Image.Image:
    """One picture: drawn boxes are green, found ones blue where they are right and red where not."""
    picture = Image.open(BytesIO(raw)).convert("RGB").resize((TILE, TILE))
    pen = ImageDraw.Draw(picture)
    right = hits(boxes, truth) if truth is not None else np.ones(len(boxes), bool)
    for box in truth if truth is not None else ():
        pen.rectangle(pixels(box), outline=DRAWN, width=1)
    for box, hit in zip(boxes, right, strict=True):
        pen.rectangle(pixels(box), outline=RIGHT if hit else WRONG, width=2)
    return picture


def pixels(box: Floats) -> tuple[float, float, float, float]:
    """A box on a tile."""
    left, top, right, bottom = (float(value) * (TILE - 1) for value in box[:4])
    return left, top, max(left, right), max(top, bottom)


def sheet(tiles: Sequence[Image.Image]) -> Image.Image:
    """Tiles side by side."""
    across = min(ACROSS, len(tiles))
    rows = -(-len(tiles) // across)
    whole = Image.new("RGB", (across * (TILE + GAP) - GAP, rows * (TILE + GAP) - GAP), "white")
    for index, one in enumerate(tiles):
        whole.paste(one, (index % across * (TILE + GAP), index // across * (TILE + GAP)))
    return whole
