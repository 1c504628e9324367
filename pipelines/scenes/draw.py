"""Draw the scenes that the image models learn from and are tested on.

    dvc repro pipelines/scenes/dvc.yaml:draw

Each scene is drawn from a random generator of its own number, so the order of work does not matter.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from PIL import Image

from models.labels import CATEGORIES, names
from pipelines.parameters import load
from pipelines.progress import progress
from pipelines.scenes import forbidden
from pipelines.scenes.compose import Scene, Sprite, Stock, brightness, compose, jpeg
from pipelines.scenes.groups import GROUPS
from pipelines.scenes.pack import Pack, Row, write_pack
from pipelines.scenes.parts import background_paths

SPRITES = Path("data/sprites/prepared")
OUT = Path("data/scenes/prepared")
CHUNK = 50


@dataclass(frozen=True)
class Params:
    """The section `scenes` of params.yaml."""

    size: int  # pixels of each side
    seed: int
    good: int  # scenes that break no rule
    violations: int  # scenes that break one


@dataclass(frozen=True)
class Order:
    """What one scene is to show."""

    number: int
    group: int
    category: str | None
    violation: str


def orders(params: Params) -> list[Order]:
    """All scenes: categories, kinds of violation and groups evenly mixed."""
    categories = names(CATEGORIES)
    good: list[tuple[str | None, str]] = [(categories[i % 10], "ok") for i in range(params.good)]
    bad: list[tuple[str | None, str]] = [
        (None, forbidden.KINDS[i % len(forbidden.KINDS)]) for i in range(params.violations)
    ]
    wanted = [(i // 10 % GROUPS, *what) for i, what in enumerate(good)]
    wanted += [(i // len(forbidden.KINDS) % GROUPS, *what) for i, what in enumerate(bad)]
    return [Order(number, *what) for number, what in enumerate(wanted)]


@cache
def stock(group: int, folder: Path = SPRITES) -> Stock:
    """Objects and photos of one group; a photo belongs to one group too."""
    pack, found = Pack(folder, "sprites"), dict[str, list[Sprite]]()
    for index, row in enumerate(pack.rows):
        if row["group"] == group:
            picture = Image.open(BytesIO(pack.blob(index))).convert("RGBA")
            sprite = Sprite(row["kind"], row["concept"], row["style"], picture, index)
            found.setdefault(row["kind"], []).append(sprite)
    photos = [Image.open(path).convert("RGB") for path in background_paths()[group::GROUPS]]
    for photo in photos:
        photo.thumbnail((640, 640))
    return Stock(found, photos)


def draw(order: Order, params: Params) -> tuple[Row, bytes]:
    """One scene and what is known about it."""
    rng = np.random.default_rng([params.seed, order.number])
    size = (params.size, params.size)
    if order.category is not None:
        scene = compose(rng, stock(order.group), order.category, size)
    else:
        scene = forbidden.draw_forbidden(rng, stock(order.group), order.violation, size, names(CATEGORIES))
    return about(order, scene), jpeg(rng, scene.picture)


def about(order: Order, scene: Scene) -> Row:
    """The row of the index: labels, boxes, brightness, place."""
    return {
        "group": order.group,
        "category": order.category,
        "violation": order.violation,
        "place": scene.place,
        "brightness": round(brightness(scene.picture), 4),
        "objects": [{"sprite": sprite.row, "concept": sprite.concept, "box": box} for sprite, box in scene.objects],
    }


def draw_many(some: list[Order], params: Params) -> list[tuple[Row, bytes]]:
    """Work for one process at a time."""
    return [draw(order, params) for order in some]


def draw_all(params: Params) -> Iterator[tuple[Row, bytes]]:
    """All scenes in order, drawn by several processes."""
    wanted = orders(params)
    chunks = [wanted[start : start + CHUNK] for start in range(0, len(wanted), CHUNK)]
    workers = min(4, len(os.sched_getaffinity(0)))
    with ProcessPoolExecutor(workers, mp_context=get_context("forkserver")) as pool:
        done = pool.map(draw_many, chunks, [params] * len(chunks))
        for chunk in progress(done, total=len(chunks), what="drawing scenes"):
            yield from chunk


def main() -> None:
    """Write the scenes."""
    params = load(Params, Path("pipelines/scenes/params.yaml"), "scenes")
    write_pack(OUT, "scenes", draw_all(params))


if __name__ == "__main__":
    main()
