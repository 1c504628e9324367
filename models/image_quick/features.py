"""A picture as image_quick sees it: colours, edges and statistics, in plain numpy.

Cheap on purpose: a small picture, no network. The same in training and serving.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.contract import Arrays, Manifest
from models.pictures import decode

SIZE = 64
CELL = 8
DIRECTIONS = 9
GRID = 4
LEVELS = 4
QUANTILES = [int(part * SIZE * SIZE) for part in (0.05, 0.25, 0.5, 0.75, 0.95)]

Floats = NDArray[np.float32]


def encode(raw: bytes) -> dict[str, NDArray[Any]]:
    """The features of one picture file."""
    return {"features": vector(decode(raw, SIZE))[None]}


def vector(image: NDArray[np.uint8]) -> Floats:
    """All features of a small RGB picture."""
    pixels: Floats = image.astype(np.float32) / np.float32(255)
    grey: Floats = pixels @ np.array([0.299, 0.587, 0.114], np.float32)
    down, right = np.gradient(grey)
    strength = np.hypot(down, right)
    parts = (
        colour_counts(image),
        colour_layout(pixels),
        edges(strength, np.arctan2(down, right)),
        statistics(pixels, grey, strength),
    )
    return np.concatenate(parts).astype(np.float32)


def colour_counts(image: NDArray[np.uint8]) -> Floats:
    """How much of each of 64 colours there is, damped by a root."""
    level = (image // (256 // LEVELS)).astype(np.int64)
    number = (level[..., 0] * LEVELS + level[..., 1]) * LEVELS + level[..., 2]
    counts = np.bincount(number.ravel(), minlength=LEVELS**3)
    return np.asarray(np.sqrt(counts / number.size), np.float32)


def colour_layout(pixels: Floats) -> Floats:
    """The mean colour of each part of the picture."""
    return np.asarray(blocks(pixels, SIZE // GRID).mean((1, 3)).ravel(), np.float32)


def blocks(field: Floats, side: int) -> Floats:
    """A field cut into squares: [rows, side, columns, side, ...]."""
    count = SIZE // side
    return field.reshape(count, side, count, side, *field.shape[2:])


def edges(strength: Floats, angle: Floats) -> Floats:
    """Histograms of edge directions in each cell, relative to the edges around (Dalal and Triggs)."""
    place = (angle % np.pi) / np.pi * DIRECTIONS
    lower = np.floor(place)
    upper_part = place - lower
    first = lower.astype(np.int64) % DIRECTIONS
    votes = np.zeros((SIZE, SIZE, DIRECTIONS), np.float32)
    row, column = np.indices(first.shape)
    votes[row, column, first] = strength * (1 - upper_part)
    votes[row, column, (first + 1) % DIRECTIONS] = strength * upper_part
    cells = blocks(votes, CELL).sum((1, 3))
    energy = np.square(cells).sum(-1)
    around = np.pad(energy, 1, mode="edge")
    count = SIZE // CELL
    total = sum(around[i : i + count, j : j + count] for i in range(3) for j in range(3))
    return np.asarray(cells / np.sqrt(total + 0.05)[..., None], np.float32).ravel()


def statistics(pixels: Floats, grey: Floats, strength: Floats) -> Floats:
    """What gives away pictures of nothing, noise and text: contrast, sharpness, flatness, extremes."""
    fine = np.abs(4 * grey[1:-1, 1:-1] - grey[:-2, 1:-1] - grey[2:, 1:-1] - grey[1:-1, :-2] - grey[1:-1, 2:])
    vivid = pixels.max(-1) - pixels.min(-1)
    tiles = blocks(grey, CELL).std((1, 3))
    counts = np.bincount((grey * 31.99).astype(np.int64).ravel(), minlength=32) / grey.size
    entropy = max(0.0, -(counts * np.log2(counts + 1e-9)).sum())
    numbers = [
        grey.mean(), grey.std(), grey.min(), grey.max(), vivid.mean(), vivid.std(), vivid.max(),
        strength.mean(), strength.std(), strength.max(), (strength > 0.05).mean(), (strength > 0.2).mean(),
        fine.mean(), fine.std(), fine.max(), (fine > 0.1).mean(), (fine > 0.5).mean(),
        tiles.mean(), tiles.std(), tiles.min(), tiles.max(), (tiles < 0.02).mean(), (tiles < 0.05).mean(),
        entropy, counts.max(), (grey > 0.85).mean(), (grey < 0.15).mean(),
        *np.sort(grey.ravel())[QUANTILES], *pixels.mean((0, 1)), *pixels.std((0, 1)),
    ]  # fmt: skip
    return np.array(numbers, np.float32)


LENGTH = LEVELS**3 + GRID * GRID * 3 + (SIZE // CELL) ** 2 * DIRECTIONS + 38


def answer(manifest: Manifest, outputs: Arrays) -> dict[str, Any]:
    """What the first row of the outputs means."""
    category = best(manifest, outputs, "category")
    violation = best(manifest, outputs, "violation")
    margin = category[0]["score"] - category[1]["score"]
    return {
        "category": {**category[0], "margin": margin, "top": category},
        "violation": {
            "label": violation[0]["label"],
            "score": float(1 - outputs["violation"][0][0]),
            "top": violation,
        },
    }


def best(manifest: Manifest, outputs: Arrays, name: str, count: int = 3) -> list[dict[str, Any]]:
    """The likeliest labels of one output."""
    scores = outputs[name][0]
    labels = manifest.output(name).labels or ()
    order = np.argsort(-scores, kind="stable")[:count]
    return [{"label": labels[int(index)], "score": float(scores[index])} for index in order]
