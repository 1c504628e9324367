"""What the heads learn from: features and labels of all scenes, and which of them are held out."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.image_screening.features import OUT
from pipelines.image_screening.heads import Floats
from pipelines.scenes.examples import NONE, Labels, labels

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Table:
    """Rows are scenes."""

    x: Floats
    photo: Floats
    labels: Labels

    @property
    def good(self) -> Bools:
        """Scenes with a category."""
        return np.asarray(self.labels.category != NONE)

    def outside(self, *groups: int) -> Bools:
        """Scenes of all other groups."""
        return ~np.isin(self.labels.group, groups)


def read() -> Table:
    """What the features stage wrote."""
    parts = [np.load(OUT / f"{name}.npy").astype(np.float32) for name in ("features", "photo")]
    return Table(parts[0], parts[1], labels())
