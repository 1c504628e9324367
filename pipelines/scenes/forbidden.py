"""Draws what the rules forbid: pictures that show nothing, only text, advertising, weapons, alcohol."""

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont

from models.labels import PICTURE_VIOLATIONS, names
from pipelines.scenes.backgrounds import Rng, Size, between, colour, draw_background
from pipelines.scenes.compose import Scene, Stock, anywhere, compose, exposure, noisy, paste

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
SHOUTS = (
    "SALE 70% OFF", "FREE!!!", "BUY NOW", "CALL 0120-000-000", "WIN $1000", "BEST PRICE", "CLICK HERE",
    "100% SAFE", "LIMITED OFFER", "EARN MONEY", "DM ME", "¥9,800", "¥500 OFF", "No.1", "HOT DEAL",
)  # fmt: skip
KINDS = tuple(names(PICTURE_VIOLATIONS)[1:])


def draw_forbidden(rng: Rng, stock: Stock, kind: str, size: Size, categories: list[str]) -> Scene:
    """One picture that breaks the rule of that name."""
    if kind in ("weapon", "alcohol"):
        return compose(rng, stock, kind, size)
    if kind == "degraded":
        scene = compose(rng, stock, categories[rng.integers(len(categories))], size)
        scene.picture = degraded(rng, scene.picture)
        return scene
    if kind == "banner":
        return banner(rng, stock, size)
    plain: dict[str, Callable[[Rng, Size], Image.Image]] = {"blank": blank, "noise": noise, "text": text}
    return Scene(plain[kind](rng, size))


def blank(rng: Rng, size: Size) -> Image.Image:
    """One colour, or nearly: a wall, a covered lens."""
    first = np.asarray(colour(rng, 0, 256))
    second = (first + rng.integers(-24, 25, 3)).clip(0, 255)
    x, y = np.linspace(0, rng.uniform(-1, 1), size[0]), np.linspace(0, rng.uniform(-1, 1), size[1])
    ends = [(int(red), int(green), int(blue)) for red, green, blue in (first, second)]
    picture = between((x[None, :] + y[:, None]).astype(np.float32), ends[0], ends[1])
    return noisy(rng, picture, rng.uniform(0, 5))


def noise(rng: Rng, size: Size) -> Image.Image:
    """Noise, fine or coarse, grey or in colours."""
    coarse = int(rng.choice([1, 1, 2, 4, 8]))
    bands = 3 if rng.random() < 0.6 else 1
    grain = rng.integers(0, 256, (size[1] // coarse + 1, size[0] // coarse + 1, bands)).astype(np.uint8)
    picture = Image.fromarray(np.repeat(grain, 3 // bands, axis=2))
    way = Image.Resampling.NEAREST if rng.random() < 0.5 else Image.Resampling.BILINEAR
    picture = picture.resize(size, way)
    return ImageEnhance.Contrast(picture).enhance(rng.uniform(0.5, 1.2))


def text(rng: Rng, size: Size) -> Image.Image:
    """A page or a screenshot of text, Latin letters or strokes as dense as Japanese ones."""
    paper, ink = page_colours(rng)
    picture = Image.new("RGB", size, paper)
    pen, height = ImageDraw.Draw(picture), int(rng.integers(8, 20)) * min(size) // 160
    margin = int(rng.uniform(0.02, 0.1) * size[0])
    write = latin_line if rng.random() < 0.5 else stroke_line
    for top in range(margin, size[1] - height, int(height * rng.uniform(1.2, 1.8))):
        if rng.random() < 0.9:
            write(rng, pen, (margin, top, size[0] - margin, top + height), ink)
    if rng.random() < 0.4:
        bar = int(rng.uniform(0.06, 0.16) * size[1])
        pen.rectangle((0, 0, size[0], bar), fill=colour(rng))
    return picture.rotate(rng.normal(0, 2), Image.Resampling.BILINEAR, fillcolor=paper)


def page_colours(rng: Rng) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """Paper and ink, light on dark now and then."""
    light, dark = colour(rng, 215, 256), colour(rng, 0, 90)
    return (light, dark) if rng.random() < 0.75 else (dark, light)


def latin_line(rng: Rng, pen: ImageDraw.ImageDraw, box: tuple[int, int, int, int], ink: tuple[int, int, int]) -> None:
    """A line of made-up words."""
    font = ImageFont.load_default(int((box[3] - box[1]) * 0.95))
    words = ["".join(rng.choice(list(LETTERS), int(rng.integers(2, 10)))) for _ in range(12)]
    end = box[0] + (box[2] - box[0]) * rng.uniform(0.5, 1.0)
    line = " ".join(words)
    while line and pen.textlength(line, font) > end - box[0]:
        line = line[: int(len(line) * 0.85)]
    pen.text((box[0], box[1]), line, fill=ink, font=font)


def stroke_line(rng: Rng, pen: ImageDraw.ImageDraw, box: tuple[int, int, int, int], ink: tuple[int, int, int]) -> None:
    """A line of squares filled with strokes: no Japanese font is needed, only its texture."""
    side = box[3] - box[1]
    end = box[0] + (box[2] - box[0]) * rng.uniform(0.5, 1.0)
    for left in np.arange(box[0], end - side, side * 1.08):
        for _ in range(int(rng.integers(3, 8))):
            ends = np.round(rng.integers(0, 4, 4) / 3 * side * 0.9)
            if rng.random() < 0.8:
                ends[3 if rng.random() < 0.5 else 2] = ends[1] if rng.random() < 0.5 else ends[0]
            pen.line(
                (left + ends[0], box[1] + ends[1], left + ends[2], box[1] + ends[3]), fill=ink, width=max(1, side // 12)
            )


def banner(rng: Rng, stock: Stock, size: Size) -> Scene:
    """Advertising: loud words in bars and bursts, money, a button."""
    behind = draw_background(rng, size, stock.photos)
    loud = colour(rng) if rng.random() < 0.55 else None
    scene = Scene(Image.new("RGB", size, loud) if loud else behind.picture)
    for _ in range(int(rng.integers(1, 4))):
        paste(rng, scene, stock.any(rng, "money"), rng.uniform(0.25, 0.5) * min(size), anywhere(rng, size), None)
    for _ in range(int(rng.integers(2, 5))):
        shout(rng, scene.picture)
    return scene


def shout(rng: Rng, picture: Image.Image) -> None:
    """One loud line on a bar of its own colour."""
    pen, words = ImageDraw.Draw(picture), SHOUTS[rng.integers(len(SHOUTS))]
    width, height = picture.size
    font = ImageFont.load_default(int(rng.uniform(0.1, 0.26) * height))
    long = pen.textlength(words, font)
    left, top = rng.uniform(-0.1, 0.3) * width, rng.uniform(0.02, 0.8) * height
    bar, ink = colour(rng), colour(rng)
    if rng.random() < 0.7:
        around = (left - 6, top - 2, left + long + 6, top + font.getbbox("Ag")[3] + 4)
        pen.rounded_rectangle(around, radius=float(rng.integers(0, 9)), fill=bar)
    pen.text((left, top), words, fill=ink, font=font, stroke_width=int(rng.integers(0, 3)), stroke_fill=colour(rng))


def degraded(rng: Rng, picture: Image.Image) -> Image.Image:
    """A scene nobody can recognise: much too dark, washed out, or blurred."""
    way = rng.integers(3)
    if way == 0:
        return noisy(rng, picture.point(exposure(rng.uniform(0.03, 0.1), 0)), rng.uniform(1, 4))
    if way == 1:
        return picture.point(exposure(rng.uniform(0.04, 0.12), rng.uniform(205, 240)))
    return picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.06, 0.12) * min(picture.size)))
