"""What the head is told it should have said, and how wrong it was."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from models.object_attributes.contract import PLACES
from pipelines.object_attributes.network import GRID, boxes
from pipelines.scenes.pack import Row

NO_PLACE = 0
BETWEEN = 2.0
"""How steeply a cell counts less the farther it is from an object's middle."""


@dataclass(frozen=True)
class Targets:
    """For each scene: how near each cell is to a middle (1 in it), the box it belongs to, the place."""

    heat: NDArray[np.float32]
    box: NDArray[np.float32]
    place: NDArray[np.int64]


def targets(rows: list[Row]) -> Targets:
    """Of scenes as they were drawn."""
    drawn = [target(row["boxes"]) for row in rows]
    places = [PLACES.index(row["place"]) if row["place"] else NO_PLACE for row in rows]
    return Targets(np.stack([heat for heat, _ in drawn]), np.stack([box for _, box in drawn]), np.array(places))


def target(found: list[list[float]]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """One scene: heat [GRID, GRID] and boxes [4, GRID, GRID]."""
    heat, box = np.zeros((GRID, GRID), np.float32), np.zeros((4, GRID, GRID), np.float32)
    cells = np.arange(GRID) + 0.5
    for one in found:
        left, top, right, bottom = (value * GRID for value in one)
        spread = np.array([max(right - left, 1.0), max(bottom - top, 1.0)]) / (3 * BETWEEN)
        column = min(int((left + right) / 2), GRID - 1)
        row = min(int((top + bottom) / 2), GRID - 1)
        x = np.exp(-0.5 * ((cells - (column + 0.5)) / spread[0]) ** 2)
        y = np.exp(-0.5 * ((cells - (row + 0.5)) / spread[1]) ** 2)
        near = (y[:, None] * x[None, :]).astype(np.float32)
        box[:, near > heat] = np.array(one, np.float32)[:, None]
        heat = np.maximum(heat, near)
    return heat, box


def loss(said: tuple[Tensor, Tensor, Tensor], heat: Tensor, box: Tensor, place: Tensor) -> Tensor:
    """How wrong the head was about middles, sides and places."""
    middle, sides, places = said
    about_place = functional.cross_entropy(places, place)
    return middles(middle, heat) + 2.0 * outlines(boxes(sides), box, heat) + 0.3 * about_place


def middles(logits: Tensor, heat: Tensor) -> Tensor:
    """Focal loss; near a middle a cell may say what it likes."""
    chance = logits.sigmoid().clamp(1e-4, 1 - 1e-4)
    there = heat >= 0.999
    hits = -((1 - chance) ** 2) * chance.log() * there
    misses = -((1 - heat) ** 4) * chance**2 * (1 - chance).log() * ~there
    return (hits.sum() + misses.sum()) / there.sum().clamp_min(1)


def outlines(said: Tensor, box: Tensor, heat: Tensor) -> Tensor:
    """One minus how much of both boxes is common, of the cells around a middle; more of the nearer ones."""
    weight = heat * (heat > 0.4)
    width = torch.minimum(said[:, 2], box[:, 2]) - torch.maximum(said[:, 0], box[:, 0])
    height = torch.minimum(said[:, 3], box[:, 3]) - torch.maximum(said[:, 1], box[:, 1])
    common = width.clamp_min(0) * height.clamp_min(0)
    both = area(said) + area(box) - common
    return ((1 - common / both.clamp_min(1e-6)) * weight).sum() / weight.sum().clamp_min(1)


def area(box: Tensor) -> Tensor:
    """Of boxes [batch, 4, ...]."""
    return (box[:, 2] - box[:, 0]).clamp_min(0) * (box[:, 3] - box[:, 1]).clamp_min(0)
