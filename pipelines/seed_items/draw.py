"""Draw the pictures and write the words of the items that a demo starts with.

    dvc repro pipelines/seed_items/dvc.yaml

All objects are used, so that every word finds something; some items break a rule, so that the
screening has something to do. What the models reach on objects they never saw is in their cards.
"""

import json
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from models.labels import CATEGORIES, names
from pipelines.parameters import load
from pipelines.progress import progress
from pipelines.scenes.backgrounds import Rng
from pipelines.scenes.compose import Scene, Sprite, Stock, compose, jpeg
from pipelines.scenes.forbidden import draw_forbidden
from pipelines.scenes.groups import GROUPS
from pipelines.scenes.pack import Pack, Row
from pipelines.scenes.parts import background_paths
from pipelines.scenes.sprites import OUT as SPRITES
from pipelines.scenes.sprites import IconSet, find, rasterise, read_set
from pipelines.seed_items.words import SPAM, Words, pick, written

OUT = Path("data/seed_items")
CHUNK = 20
FORBIDDEN = ("banner",) * 4 + ("text",) * 4 + ("blank",) * 3 + ("noise",) * 3 + ("weapon",) * 3 + ("degraded",) * 2
INNOCENT = {"ja": ("新しい写真です", "見てください"), "en": ("A new picture", "Have a look")}
SURE = ("banner", "text", "blank", "noise", "degraded")
"""Kinds that should be rejected; the others may go to a moderator."""


@dataclass(frozen=True)
class Params:
    """The section `draw` of params.yaml."""

    seed: int
    good: int
    width: int
    height: int
    sprite: int
    owners: int
    group: int | None = None  # take objects and photos of this group only


@dataclass(frozen=True)
class Order:
    """What one item is to show and say."""

    number: int
    sprite: int | None  # row of the sprites
    violation: str
    language: str


@cache
def pack() -> Pack:
    """Every object in every style."""
    return Pack(SPRITES, "sprites")


def sprites() -> list[Row]:
    """What is known of them."""
    return pack().rows


@cache
def style(name: str) -> IconSet:
    """One drawing style, read once in each process."""
    return read_set(name)


@cache
def photos(group: int | None) -> list[Image.Image]:
    """The background photos, of one group or all."""
    paths = background_paths()
    return [Image.open(path).convert("RGB") for path in (paths if group is None else paths[group::GROUPS])]


def by_concept(params: Params) -> dict[str, list[int]]:
    """The objects of the ten categories that may be drawn: their rows, a style each."""
    found: dict[str, list[int]] = {}
    for index, row in enumerate(sprites()):
        if row["kind"] in names(CATEGORIES) and params.group in (None, row["group"]):
            found.setdefault(row["concept"], []).append(index)
    return dict(sorted(found.items()))


def orders(params: Params) -> list[Order]:
    """Objects in turn, another style each time round; then what breaks a rule; well mixed."""
    rng, wanted = np.random.default_rng([params.seed, 0]), list[tuple[int | None, str]]()
    known = by_concept(params)
    concepts = list(known)
    for place in range(params.good):
        styles = known[concepts[place % len(concepts)]]
        wanted.append((styles[(place // len(concepts) + place) % len(styles)], "ok"))
    wanted += [(None, kind) for kind in FORBIDDEN]
    wanted += [(known[concepts[place * 7]][0], "spam") for place in range(4)]
    mixed = [wanted[int(place)] for place in rng.permutation(len(wanted))]
    return [Order(number, *what, "ja" if number % 2 else "en") for number, what in enumerate(mixed)]


def drawn(order: Order, params: Params) -> tuple[dict[str, Any], bytes]:
    """One item: its line and its picture."""
    rng = np.random.default_rng([params.seed, 1, order.number])
    scene = picture(rng, order, params)
    words = wording(rng, order, scene)
    row = sprites()[order.sprite] if order.sprite is not None else None
    line = {
        "picture": f"{order.number:03d}.jpg",
        "title": words.title,
        "description": words.description,
        "category": row["kind"] if row else None,
        "language": order.language,
        "owner": order.number % params.owners + 1,
        "expected": expected(order),
        "violation": order.violation,
        "concept": row["concept"] if row else None,
        "group": row["group"] if row else None,
    }
    return line, jpeg(rng, scene.picture, lowest=80)


def expected(order: Order) -> str | None:
    """How it should end, where that is certain enough to be said."""
    if order.violation == "ok":
        return "publish"
    return "reject" if order.violation in SURE else None


def picture(rng: Rng, order: Order, params: Params) -> Scene:
    """The scene of an item."""
    size = (params.width, params.height)
    if order.sprite is not None:
        row = sprites()[order.sprite]
        return compose(rng, stock([order.sprite], some(rng, "other", 2, params), params), row["kind"], size)
    large = some(rng, order.violation, 2, params) if order.violation in ("weapon", "alcohol") else []
    kinds = ("money", "other", "cat", "food")
    stocked = stock(large, [index for kind in kinds for index in some(rng, kind, 2, params)], params)
    return draw_forbidden(rng, stocked, order.violation, size, ["cat", "food"])


def some(rng: Rng, kind: str, count: int, params: Params) -> list[int]:
    """A few objects of a kind."""
    usable = (index for index, row in enumerate(sprites()) if params.group in (None, row["group"]))
    rows = [index for index in usable if sprites()[index]["kind"] == kind]
    return [rows[int(place)] for place in rng.integers(0, len(rows), count)]


def stock(large: list[int], small: list[int], params: Params) -> Stock:
    """These objects: some rasterised as large as the picture needs them, some as they lie there."""
    found: dict[str, list[Sprite]] = {}
    for index in (*large, *small):
        row = sprites()[index]
        content = again(row, params.sprite) if index in large else pack().blob(index)
        cut = Image.open(BytesIO(content)).convert("RGBA")
        found.setdefault(row["kind"], []).append(Sprite(row["kind"], row["concept"], row["style"], cut, index))
    return Stock(found, photos(params.group))


def again(row: Row, size: int) -> bytes:
    """The object, rasterised larger."""
    icons = style(row["style"])
    icon = find(icons, row["concept"])
    assert icon is not None
    return rasterise(icons.svg(icon), size)


def wording(rng: Rng, order: Order, scene: Scene) -> Words:
    """What its owner wrote."""
    if order.violation == "spam":
        spam = SPAM[order.language]
        return Words(*spam[int(rng.integers(len(spam)))])
    if order.sprite is None:
        return Words(pick(rng, INNOCENT[order.language]), "")
    return written(rng, sprites()[order.sprite], len(scene.objects), order.language)


def draw_some(wanted: list[Order], params: Params) -> list[tuple[dict[str, Any], bytes]]:
    """Work for one process at a time."""
    return [drawn(order, params) for order in wanted]


def draw_all(wanted: list[Order], params: Params) -> Iterator[tuple[dict[str, Any], bytes]]:
    """All items in order, drawn by several processes."""
    chunks = [wanted[start : start + CHUNK] for start in range(0, len(wanted), CHUNK)]
    with ProcessPoolExecutor(len(os.sched_getaffinity(0)), mp_context=get_context("forkserver")) as pool:
        done = pool.map(draw_some, chunks, [params] * len(chunks))
        for chunk in progress(done, total=len(chunks), what="drawing items"):
            yield from chunk


def main() -> None:
    """Write the pictures and items.jsonl."""
    params = load(Params, "pipelines/seed_items/params.yaml", "draw")
    OUT.mkdir(parents=True, exist_ok=True)
    with (OUT / "items.jsonl").open("w", encoding="utf-8") as lines:
        for line, content in draw_all(orders(params), params):
            (OUT / line["picture"]).write_bytes(content)
            lines.write(json.dumps(line, ensure_ascii=False, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
