"""Composes a scene: objects on a background, with everything about it known exactly."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from pipelines.scenes.backgrounds import Rng, Size, draw_background

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Sprite:
    """One object in one style, cut out."""

    kind: str
    concept: str
    style: str
    picture: Image.Image
    row: int


@dataclass(frozen=True)
class Stock:
    """What the scenes of one group are made of: its objects by kind, its photos."""

    sprites: Mapping[str, Sequence[Sprite]]
    photos: Sequence[Image.Image]

    def any(self, rng: Rng, kind: str) -> Sprite:
        """An object of that kind: first the object, then one of its styles."""
        concepts = sorted({sprite.concept for sprite in self.sprites[kind]})
        concept = concepts[rng.integers(len(concepts))]
        styles = [sprite for sprite in self.sprites[kind] if sprite.concept == concept]
        return styles[rng.integers(len(styles))]


@dataclass
class Scene:
    """A picture and what is known about it."""

    picture: Image.Image
    place: str | None = None
    objects: list[tuple[Sprite, Box]] = field(default_factory=list)


def compose(rng: Rng, stock: Stock, kind: str, size: Size) -> Scene:
    """A scene that shows one to four objects of one kind."""
    behind = draw_background(rng, size, stock.photos)
    scene = Scene(behind.picture, behind.place)
    side = min(size)
    if rng.random() < 0.25:
        paste(rng, scene, stock.any(rng, "other"), rng.uniform(0.15, 0.3) * side, anywhere(rng, size), None)
    count = 1 if rng.random() < 0.7 else int(rng.integers(2, 5))
    for where in spots(rng, size, count):
        extent = rng.uniform(0.6, 0.98) if count == 1 else rng.uniform(0.34, 0.5)
        paste(rng, scene, stock.any(rng, kind), extent * side, where, kind)
    if rng.random() < 0.12:
        paste(rng, scene, stock.any(rng, "other"), rng.uniform(0.12, 0.25) * side, anywhere(rng, size), None)
    scene.picture = weather(rng, scene.picture)
    return scene


def anywhere(rng: Rng, size: Size) -> tuple[float, float]:
    """The middle of something small."""
    return rng.uniform(0.1, 0.9) * size[0], rng.uniform(0.1, 0.9) * size[1]


def spots(rng: Rng, size: Size, count: int) -> list[tuple[float, float]]:
    """Middles of `count` objects that do not hide each other much."""
    if count == 1:
        return [(rng.uniform(0.42, 0.58) * size[0], rng.uniform(0.42, 0.58) * size[1])]
    quarters = rng.permutation(4)[:count]
    jitter = rng.uniform(-0.06, 0.06, (count, 2))
    return [
        ((0.26 + 0.48 * (quarter % 2) + shift[0]) * size[0], (0.26 + 0.48 * (quarter // 2) + shift[1]) * size[1])
        for quarter, shift in zip(quarters, jitter, strict=True)
    ]


def paste(rng: Rng, scene: Scene, sprite: Sprite, extent: float, middle: tuple[float, float], kind: str | None) -> None:
    """Put an object into the scene, varied as photos of one thing vary; with a kind, its box is kept."""
    cut = varied(rng, sprite.picture, max(8, int(extent)))
    left, top = int(middle[0] - cut.width / 2), int(middle[1] - cut.height / 2)
    if rng.random() < 0.5:
        shade = cut.getchannel("A").point(lambda alpha: alpha * 0.45).filter(ImageFilter.BoxBlur(2))
        away = int(rng.integers(2, 7))
        scene.picture.paste((10, 10, 15), (left + away, top + away), shade)
    scene.picture.paste(cut, (left, top), cut)
    if kind is not None:
        scene.objects.append((sprite, box_in(cut, left, top, scene.picture.size)))


def varied(rng: Rng, sprite: Image.Image, extent: int) -> Image.Image:
    """The object at that size: mirrored, turned, squeezed and coloured a little."""
    squeeze = rng.uniform(0.85, 1.15)
    size = (max(4, int(extent * min(1.0, squeeze))), max(4, int(extent * min(1.0, 1 / squeeze))))
    cut = sprite.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
    if rng.random() < 0.5:
        cut = ImageOps.mirror(cut)
    cut = cut.rotate(rng.normal(0, 10), Image.Resampling.BILINEAR, expand=True)
    alpha = cut.getchannel("A")
    coloured = ImageEnhance.Color(cut.convert("RGB")).enhance(rng.uniform(0.65, 1.3))
    gains = rng.uniform(0.9, 1.1, 3) * rng.uniform(0.8, 1.12)
    bands = [
        band.point(lambda value, gain=gain: value * gain) for band, gain in zip(coloured.split(), gains, strict=True)
    ]
    return Image.merge("RGBA", (*bands, alpha))


def box_in(cut: Image.Image, left: int, top: int, size: Size) -> Box:
    """The visible box (left, top, right, bottom) of a cut-out that was pasted there."""
    inner = cut.getchannel("A").getbbox() or (0, 0, cut.width, cut.height)
    return (
        max(0, left + inner[0]),
        max(0, top + inner[1]),
        min(size[0], left + inner[2]),
        min(size[1], top + inner[3]),
    )


def weather(rng: Rng, picture: Image.Image) -> Image.Image:
    """What happens to real photos: light, blur, noise."""
    if rng.random() < 0.6:
        picture = picture.point(exposure(rng.uniform(0.7, 1.25), rng.uniform(-15, 15)))
    if rng.random() < 0.25:
        picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.4, 1.2)))
    if rng.random() < 0.35:
        picture = noisy(rng, picture, rng.uniform(3, 12))
    return picture


def exposure(gain: float, offset: float) -> list[int]:
    """A table for `Image.point` that makes a picture brighter or darker."""
    return [int(min(255, max(0, value * gain + offset))) for value in range(256)] * 3


def noisy(rng: Rng, picture: Image.Image, strength: float) -> Image.Image:
    """Sensor noise: one field of noise, shifted for each colour."""
    grain = rng.normal(0, strength, (picture.height, picture.width)).astype(np.float32)
    pixels = np.asarray(picture, np.float32)
    shifted = np.stack([np.roll(grain, 17 * band, axis=band % 2) for band in range(3)], axis=-1)
    return Image.fromarray((pixels + shifted).clip(0, 255).astype(np.uint8))


def brightness(picture: Image.Image) -> float:
    """Mean brightness from 0 to 1."""
    return float(np.asarray(picture.convert("L")).mean() / 255)


def jpeg(rng: Rng, picture: Image.Image, lowest: int = 45) -> bytes:
    """The picture as JPEG, better or worse."""
    file = BytesIO()
    picture.save(file, "JPEG", quality=int(rng.integers(lowest, 96)))
    return file.getvalue()
