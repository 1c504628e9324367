"""Draw clean scenes and cut pieces out of photos: what the model learns to see the half of.

    dvc repro pipelines/super_resolution/dvc.yaml:prepare

Without noise and JPEG's marks: they are the truth. Nothing here is a photo that it is judged by.
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

from pipelines.parameters import load
from pipelines.progress import progress
from pipelines.scenes.backgrounds import Rng, draw_background
from pipelines.scenes.compose import Scene, anywhere, paste, spots
from pipelines.scenes.draw import stock
from pipelines.scenes.groups import GROUPS
from pipelines.scenes.pack import Row, write_pack
from pipelines.scenes.parts import background_paths
from pipelines.super_resolution.pairs import png

OUT = Path("data/super_resolution/prepared")
PARAMS = "pipelines/super_resolution/params.yaml"
CHUNK = 50
SMALLEST_SHOWN = 0.5
"""A photo is cut from as it is, or made smaller by up to this: sharp edges and soft ones."""


@dataclass(frozen=True)
class Params:
    """The section `prepare` of params.yaml."""

    size: int  # pixels of each side
    seed: int
    scenes: int
    held_out_scenes: int
    crops: int
    test_group: int

    @property
    def learnt(self) -> list[int]:
        """Groups of objects and photos to learn from."""
        return [group for group in range(GROUPS) if group != self.test_group]


@dataclass(frozen=True)
class Order:
    """What one picture is to be made of."""

    number: int
    group: int
    part: str


def orders(params: Params) -> list[Order]:
    """All of them: scenes to learn from, scenes to be judged by, pieces of photos."""
    learnt = params.learnt
    parts = [("scene", learnt[i % len(learnt)]) for i in range(params.scenes)]
    parts += [("held_out", params.test_group)] * params.held_out_scenes
    parts += [("photo", learnt[i % len(learnt)]) for i in range(params.crops)]
    return [Order(number, group, part) for number, (part, group) in enumerate(parts)]


def draw(order: Order, params: Params) -> tuple[Row, bytes]:
    """One picture, as a file that loses nothing."""
    rng = np.random.default_rng([params.seed, order.number])
    picture = piece(rng, order, params.size) if order.part == "photo" else scene(rng, order.group, params.size)
    return {"part": order.part, "group": order.group}, png(picture)


def scene(rng: Rng, group: int, size: int) -> Image.Image:
    """Objects of any kind on a background, without noise."""
    things, both = stock(group), (size, size)
    drawn = Scene(draw_background(rng, both, things.photos).picture)
    kinds = sorted(things.sprites)
    for where in [*spots(rng, both, int(rng.integers(1, 5))), anywhere(rng, both)]:
        kind = kinds[int(rng.integers(len(kinds)))]
        paste(rng, drawn, things.any(rng, kind), rng.uniform(0.2, 0.8) * size, where, kind)
    return drawn.picture


def piece(rng: Rng, order: Order, size: int) -> Image.Image:
    """A piece of a photo, made smaller by a little before."""
    some = photos(order.group)
    whole = some[order.number // GROUPS % len(some)]
    scale = max(rng.uniform(SMALLEST_SHOWN, 1.0), size / min(whole.size))
    smaller = whole.resize((round(whole.width * scale), round(whole.height * scale)), Image.Resampling.LANCZOS)
    left, top = (int(rng.integers(0, length - size + 1)) for length in smaller.size)
    return smaller.crop((left, top, left + size, top + size))


@cache
def photos(group: int) -> list[Image.Image]:
    """The background photos of one group, which are in no other."""
    return [Image.open(path).convert("RGB") for path in background_paths()[group::GROUPS]]


def draw_many(some: list[Order], params: Params) -> list[tuple[Row, bytes]]:
    """Work for one process at a time."""
    return [draw(order, params) for order in some]


def draw_all(params: Params) -> Iterator[tuple[Row, bytes]]:
    """All pictures in order, made by several processes."""
    wanted = orders(params)
    chunks = [wanted[start : start + CHUNK] for start in range(0, len(wanted), CHUNK)]
    workers = min(4, len(os.sched_getaffinity(0)))
    with ProcessPoolExecutor(workers, mp_context=get_context("forkserver")) as pool:
        done = pool.map(draw_many, chunks, [params] * len(chunks))
        for chunk in progress(done, total=len(chunks), what="drawing pictures"):
            yield from chunk


def main() -> None:
    """Write the pictures."""
    write_pack(OUT, "pictures", draw_all(load(Params, PARAMS, "prepare")))


if __name__ == "__main__":
    main()
