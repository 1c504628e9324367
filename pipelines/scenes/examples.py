"""The drawn scenes as a model's examples: pictures, labels as numbers, groups."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.labels import CATEGORIES, PICTURE_VIOLATIONS, names
from pipelines.progress import progress
from pipelines.scenes.pack import Pack, Row

SCENES = Path("data/scenes/prepared")
NONE = -1
"""The category of what shows none."""

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Labels:
    """What is known about each scene."""

    rows: list[Row]

    @cached_property
    def category(self) -> Ints:
        """Position in the ten categories, or NONE."""
        known = names(CATEGORIES)
        return np.array([known.index(row["category"]) if row["category"] else NONE for row in self.rows])

    @cached_property
    def violation(self) -> Ints:
        """Position in the kinds of violation."""
        known = names(PICTURE_VIOLATIONS)
        return np.array([known.index(row["violation"]) for row in self.rows])

    @cached_property
    def group(self) -> Ints:
        """The group of objects the scene is drawn from."""
        return np.array([row["group"] for row in self.rows])

    @cached_property
    def concept(self) -> list[str]:
        """The object of each scene that shows one object, else an empty string."""
        shown = [{thing["concept"] for thing in row["objects"]} for row in self.rows]
        return [next(iter(concepts)) if len(concepts) == 1 else "" for concepts in shown]


def labels(folder: Path = SCENES) -> Labels:
    """Of all scenes, in their order."""
    return Labels(Pack(folder, "scenes").rows)


def encoded(
    encode: Callable[[bytes], dict[str, NDArray[Any]]], name: str, batch: int, what: str, folder: Path = SCENES
) -> Iterator[NDArray[Any]]:
    """The served features of every scene, in batches."""
    pack = Pack(folder, "scenes")
    starts = range(0, len(pack), batch)
    for start in progress(starts, total=len(starts), what=what):
        some = range(start, min(start + batch, len(pack)))
        yield np.concatenate([encode(pack.blob(index))[name] for index in some])
