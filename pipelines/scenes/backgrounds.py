"""What stands behind the objects: photos, textures, and simple rooms and landscapes.

Rooms and landscapes carry the label indoor or outdoor; the others are neither.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from PIL import Image, ImageDraw, ImageOps

Rng = np.random.Generator
Size = tuple[int, int]
Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Background:
    """A picture without objects, and where it seems to be."""

    picture: Image.Image
    place: str | None = None


def draw_background(rng: Rng, size: Size, photos: Sequence[Image.Image]) -> Background:
    """One background, of any sort."""
    makers = (
        partial(photo, photos=photos),
        clouds,
        gradient,
        stripes,
        landscape,
        room,
    )
    chosen = rng.choice(len(makers), p=(0.32, 0.2, 0.12, 0.06, 0.16, 0.14))
    return makers[chosen](rng, size)


def colour(rng: Rng, darkest: int = 20, brightest: int = 245) -> Colour:
    """Any colour between the two brightnesses."""
    red, green, blue = (int(value) for value in rng.integers(darkest, brightest, 3))
    return red, green, blue


def photo(rng: Rng, size: Size, photos: Sequence[Image.Image]) -> Background:
    """A part of a real photo, turned, and now and then in other colours."""
    whole = photos[int(rng.integers(len(photos)))]
    part = rng.uniform(0.3, 1.0) * min(whole.width / size[0], whole.height / size[1])
    width, height = part * size[0], part * size[1]
    left, top = rng.uniform(0, whole.width - width), rng.uniform(0, whole.height - height)
    picture = whole.resize(size, Image.Resampling.BILINEAR, (left, top, left + width, top + height), 2.0)
    if rng.random() < 0.5:
        picture = ImageOps.mirror(picture)
    if rng.random() < 0.35:
        dark, bright = colour(rng, 0, 110), colour(rng, 130, 255)
        picture = ImageOps.colorize(ImageOps.grayscale(picture), dark, bright)
    return Background(picture)


def clouds(rng: Rng, size: Size) -> Background:
    """Fractal noise between two colours."""
    grey = np.zeros((size[1], size[0]), np.float32)
    for cells in (3, 7, 17):
        coarse = Image.fromarray(rng.random((cells, cells)).astype(np.float32))
        grey += np.asarray(coarse.resize(size, Image.Resampling.BICUBIC)) / cells
    return Background(between(grey, colour(rng), colour(rng)))


def gradient(rng: Rng, size: Size) -> Background:
    """One colour running into another."""
    angle = rng.uniform(0, 2 * np.pi)
    x = np.linspace(0, np.cos(angle), size[0], dtype=np.float32)
    y = np.linspace(0, np.sin(angle), size[1], dtype=np.float32)
    return Background(between(x[None, :] + y[:, None], colour(rng), colour(rng)))


def stripes(rng: Rng, size: Size) -> Background:
    """Stripes, as on cloth or on a wall."""
    angle, width = rng.uniform(0, np.pi), rng.uniform(0.05, 0.4)
    x = np.arange(size[0], dtype=np.float32) * np.float32(np.cos(angle) * width)
    y = np.arange(size[1], dtype=np.float32) * np.float32(np.sin(angle) * width)
    return Background(between(np.sin(x[None, :] + y[:, None]), colour(rng), colour(rng)))


def between(grey: np.ndarray, first: Colour, second: Colour) -> Image.Image:
    """A grey field of any range, coloured from `first` to `second`."""
    low, high = float(grey.min()), float(grey.max())
    part = ((grey - low) / (high - low + 1e-6))[..., None]
    ends = np.asarray(first, np.float32), np.asarray(second, np.float32)
    return Image.fromarray((ends[0] + part * (ends[1] - ends[0])).astype(np.uint8))


def landscape(rng: Rng, size: Size) -> Background:
    """Sky, ground, and hills or buildings or trees on the horizon."""
    width, height = size
    horizon = int(height * rng.uniform(0.35, 0.75))
    sky = np.array([rng.integers(90, 200), rng.integers(150, 220), rng.integers(190, 255)], np.float32)
    sky *= rng.uniform(0.3, 1.0)
    picture = Image.new("RGB", size, tuple(int(value) for value in sky))
    pen = ImageDraw.Draw(picture)
    for _ in range(int(rng.integers(2, 7))):
        across, up = rng.uniform(0, width), rng.uniform(0.05, 0.3) * height
        half, shade = rng.uniform(0.05, 0.3) * width, colour(rng, 30, 170)
        if rng.random() < 0.5:
            pen.ellipse((across - half, horizon - up, across + half, horizon + up), fill=shade)
        else:
            pen.rectangle((across - half / 2, horizon - up, across + half / 2, horizon), fill=shade)
    ground = (int(rng.integers(40, 200)), int(rng.integers(70, 200)), int(rng.integers(20, 150)))
    pen.rectangle((0, horizon, width, height), fill=ground)
    return Background(picture, "outdoor")


def room(rng: Rng, size: Size) -> Background:
    """A wall with a picture or a window, and a floor or a table."""
    width, height = size
    edge = int(height * rng.uniform(0.45, 0.85))
    picture = Image.new("RGB", size, colour(rng, 110, 250))
    pen = ImageDraw.Draw(picture)
    for _ in range(int(rng.integers(0, 4))):
        left, top = rng.uniform(0, width * 0.8), rng.uniform(0, height * 0.3)
        right, bottom = left + rng.uniform(0.1, 0.4) * width, top + rng.uniform(0.1, 0.4) * height
        pen.rectangle((left, top, right, bottom), fill=colour(rng, 60, 240), outline=colour(rng, 30, 140), width=3)
    pen.rectangle((0, edge, width, height), fill=colour(rng, 40, 200))
    pen.rectangle((0, edge - 3, width, edge), fill=colour(rng, 40, 240))
    if rng.random() < 0.5:
        plank = colour(rng, 30, 150)
        for across in np.arange(0, width * 1.01, width / rng.integers(3, 9)):
            pen.line((across, edge, (across - width / 2) * 1.6 + width / 2, height), fill=plank)
    return Background(picture, "indoor")
