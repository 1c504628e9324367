"""Compute the served features of every scene.

dvc repro pipelines/image_quick/dvc.yaml:features
"""

import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.image_quick.features import encode
from pipelines.parameters import load
from pipelines.progress import progress
from pipelines.scenes.examples import SCENES
from pipelines.scenes.pack import Pack

OUT = Path("data/image_quick/features")


@dataclass(frozen=True)
class Params:
    """The section `features` of params.yaml."""

    batch: int  # scenes for one process at a time


@cache
def scenes() -> Pack:
    """The scenes, read once in each process."""
    return Pack(SCENES, "scenes")


def some(rows: range) -> NDArray[np.float32]:
    """The features of these scenes."""
    return np.concatenate([encode(scenes().blob(row))["features"] for row in rows])


def main() -> None:
    """Write the features, several processes at a time."""
    params, total = load(Params, "pipelines/image_quick/params.yaml", "features"), len(scenes())
    chunks = [range(start, min(start + params.batch, total)) for start in range(0, total, params.batch)]
    with ProcessPoolExecutor(len(os.sched_getaffinity(0)), mp_context=get_context("forkserver")) as pool:
        found = list(progress(pool.map(some, chunks), total=len(chunks), what="measuring scenes"))
    OUT.mkdir(parents=True, exist_ok=True)
    np.save(OUT / "features.npy", np.concatenate(found))


if __name__ == "__main__":
    main()
