"""What a model was surest of and wrong about, for its card: pictures as a picture, texts as a table."""

import io
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipelines.card import table

Ints = NDArray[np.int64]
ACROSS, DOWN = 6, 2
LONGEST = 60


def surest(truth: Ints, said: Ints, scores: NDArray[np.floating], most: int) -> list[int]:
    """The places of what is wrong, the highest score first; of equal ones the first."""
    order = np.argsort(-scores, kind="stable")
    return [int(place) for place in order if truth[place] != said[place]][:most]


def mistakes_picture(
    truth: Ints,
    said: Ints,
    scores: NDArray[np.floating],
    names: Sequence[str],
    picture: Callable[[int], bytes],
    path: Path,
) -> None:
    """The surest mistakes as a PNG, the same bytes for the same mistakes; `picture` gives the file at a place."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(1.7 * ACROSS, 2.1 * DOWN), dpi=100, layout="constrained")
    figure.suptitle("the surest mistakes")
    cells = figure.subplots(DOWN, ACROSS).ravel()
    for cell in cells:
        cell.axis("off")
    for cell, place in zip(cells, surest(truth, said, scores, len(cells)), strict=False):
        cell.imshow(Image.open(io.BytesIO(picture(place))).convert("RGB"))
        cell.set_title(f"{names[truth[place]]}, said\n{names[said[place]]} ({scores[place]:.0%})", fontsize=9)
    figure.savefig(path, format="png", metadata={"Software": None})


def mistakes_table(
    truth: Ints, said: Ints, scores: NDArray[np.floating], names: Sequence[str], texts: Sequence[str], most: int = 10
) -> str:
    """The surest mistakes as a table of Markdown."""
    rows = [
        (_in_a_cell(texts[place]), names[truth[place]], f"{names[said[place]]} ({scores[place]:.0%})")
        for place in surest(truth, said, scores, most)
    ]
    return table(("the surest mistakes", "it is", "said"), rows)


def _in_a_cell(text: str) -> str:
    plain = " ".join(text.replace("|", "/").split())
    return plain if len(plain) <= LONGEST else f"{plain[: LONGEST - 1]}…"
