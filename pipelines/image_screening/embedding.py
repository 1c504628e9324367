"""Learn the space in which similar pictures are near: the embedding's projection.

    dvc repro pipelines/image_screening/dvc.yaml:embedding

A stage of its own: retraining the heads never moves the space that the search index is built in.
"""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.image_screening.contract import EMBEDDING
from pipelines.image_screening.heads import Linear, projection
from pipelines.image_screening.table import Table, read
from pipelines.image_screening.threads import one_way_of_adding
from pipelines.parameters import load

OUT = Path("data/image_screening/embedding")


@dataclass(frozen=True)
class Params:
    """The section `embedding` of params.yaml."""

    test_group: int  # never looked at
    shrinkage: float
    least_scenes: int  # an object counts when so many scenes show only it


@one_way_of_adding
def main() -> None:
    """Write the projection."""
    params = load(Params, "pipelines/image_screening/params.yaml", "embedding")
    learnt = learn(read(), params)
    OUT.mkdir(parents=True, exist_ok=True)
    np.savez(OUT / "projection.npz", weights=learnt.weights, bias=learnt.bias)


def learn(table: Table, params: Params) -> Linear:
    """Directions that tell the training objects apart."""
    rows, objects = by_object(table, params)
    return projection(table.x[rows], objects, EMBEDDING, params.shrinkage)


def by_object(table: Table, params: Params) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The scenes that show one known object, and the number of the object."""
    shown, usable = table.labels.concept, table.outside(params.test_group)
    often = Counter(name for name, use in zip(shown, usable, strict=True) if use and name)
    numbers = {name: n for n, name in enumerate(sorted(k for k, v in often.items() if v >= params.least_scenes))}
    rows = [row for row, name in enumerate(shown) if usable[row] and name in numbers]
    return np.array(rows), np.array([numbers[shown[row]] for row in rows])


def load_projection() -> Linear:
    """What this stage wrote."""
    with np.load(OUT / "projection.npz") as arrays:
        return Linear(arrays["weights"], arrays["bias"])


if __name__ == "__main__":
    main()
