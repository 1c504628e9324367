"""Draw the scenes that objects are counted in.

dvc repro pipelines/object_attributes/dvc.yaml:prepare
"""

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from PIL import Image

from models.labels import CATEGORIES, names
from pipelines.object_attributes.scenes import FULL_OF_THINGS, PHOTO_PLACES, Places, compose, nothing
from pipelines.parameters import load
from pipelines.progress import progress
from pipelines.scenes.compose import Scene, brightness, jpeg
from pipelines.scenes.draw import stock
from pipelines.scenes.groups import GROUPS
from pipelines.scenes.pack import Row, write_pack
from pipelines.scenes.parts import background_paths

OUT = Path("data/object_attributes/prepared")
PARAMS = "pipelines/object_attributes/params.yaml"
CHUNK = 50


@dataclass(frozen=True)
class Params:
    """The section `prepare` of params.yaml."""

    size: int  # pixels of each side
    seed: int
    scenes: int
    empty_share: float  # pictures of nothing: text, noise, one colour


@cache
def places(group: int) -> Places:
    """The background photos of one group, which are in no other, with where they were taken."""
    found = []
    for path in background_paths()[group::GROUPS]:
        if path.name in FULL_OF_THINGS:
            continue
        photo = Image.open(path).convert("RGB")
        photo.thumbnail((640, 640))
        found.append((photo, PHOTO_PLACES.get(path.name)))
    return Places(found)


def draw(number: int, params: Params) -> tuple[Row, bytes]:
    """One scene and what is known about it; the groups take turns."""
    rng, group = np.random.default_rng([params.seed, number]), number % GROUPS
    size = (params.size, params.size)
    if rng.random() < params.empty_share:
        scene = nothing(rng, size)
    else:
        scene = compose(rng, stock(group), places(group), names(CATEGORIES), size)
    return about(group, scene), jpeg(rng, scene.picture)


def about(group: int, scene: Scene) -> Row:
    """The row of the index; boxes are parts of the picture."""
    width, height = scene.picture.size
    boxes = [
        [box[0] / width, box[1] / height, box[2] / width, box[3] / height]
        for _, box in scene.objects
        if box[2] > box[0] and box[3] > box[1]
    ]
    return {
        "group": group,
        "place": scene.place,
        "brightness": round(brightness(scene.picture), 4),
        "boxes": [[round(value, 4) for value in box] for box in boxes],
    }


def draw_many(numbers: list[int], params: Params) -> list[tuple[Row, bytes]]:
    """Work for one process at a time."""
    return [draw(number, params) for number in numbers]


def draw_all(params: Params) -> Iterator[tuple[Row, bytes]]:
    """All scenes in order, drawn by several processes."""
    chunks = [list(range(at, min(at + CHUNK, params.scenes))) for at in range(0, params.scenes, CHUNK)]
    workers = min(4, len(os.sched_getaffinity(0)))
    with ProcessPoolExecutor(workers, mp_context=get_context("forkserver")) as pool:
        done = pool.map(draw_many, chunks, [params] * len(chunks))
        for chunk in progress(done, total=len(chunks), what="drawing scenes"):
            yield from chunk


def main() -> None:
    """Write the scenes."""
    write_pack(OUT, "scenes", draw_all(load(Params, PARAMS, "prepare")))


if __name__ == "__main__":
    main()
