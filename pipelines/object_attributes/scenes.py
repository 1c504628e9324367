"""Composes scenes to count in: up to six objects of any size, anywhere, and every box is known.

Other scenes show mostly one object in the middle. There, whoever says "one, in the middle" is nearly always right.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from pipelines.scenes import forbidden
from pipelines.scenes.backgrounds import (
    Background,
    Rng,
    Size,
    clouds,
    gradient,
    landscape,
    photo,
    room,
    stripes,
)
from pipelines.scenes.compose import Box, Scene, Stock, exposure, noisy, paste

INDOORS, OUTDOORS = "indoors", "outdoors"
PHOTO_PLACES = {
    "brick.png": OUTDOORS,
    "clock_motion.png": INDOORS,
    "grass.png": OUTDOORS,
    "gravel.png": OUTDOORS,
    "rocket.jpg": OUTDOORS,
}
"""Background photos that were taken somewhere; the others were taken through a microscope or a telescope."""
FULL_OF_THINGS = ("astronaut.png", "camera.png", "coins.png")
"""Photos that show something themselves, which would have to be counted."""
COUNTS = (0.04, 0.4, 0.2, 0.16, 0.1, 0.06, 0.04)
"""How often a scene shows no object, one, two, and so on."""
LARGEST = (0.0, 0.95, 0.6, 0.5, 0.45, 0.38, 0.34)
SMALLEST = (0.0, 0.28, 0.22, 0.2, 0.19, 0.17, 0.16)
"""Of an object, by their number, as a part of the picture's side."""
MOST_HIDDEN = 0.3
TRIES = 30


@dataclass(frozen=True)
class Places:
    """The background photos of one group, each with where it was taken."""

    photos: Sequence[tuple[Image.Image, str | None]]


def compose(rng: Rng, stock: Stock, places: Places, categories: Sequence[str], size: Size) -> Scene:
    """A scene; its objects are mostly of one kind."""
    behind = background(rng, size, places)
    scene = Scene(behind.picture, behind.place)
    kind, mixed = categories[int(rng.integers(len(categories)))], rng.random() < 0.2
    count = int(rng.choice(len(COUNTS), p=COUNTS))
    extent = rng.uniform(SMALLEST[count], LARGEST[count])
    for _ in range(count):
        shown = categories[int(rng.integers(len(categories)))] if mixed else kind
        place_one(rng, scene, stock, shown, float(np.clip(extent * rng.uniform(0.75, 1.3), 0.12, 0.97)))
    if rng.random() < 0.25:
        place_one(rng, scene, stock, "other", rng.uniform(0.14, 0.3))
    scene.picture = light_and_noise(rng, scene.picture)
    return scene


def background(rng: Rng, size: Size, places: Places) -> Background:
    """Half of them are somewhere; of the others nobody could say."""
    chosen = rng.random()
    if chosen < 0.3:
        picture, place = places.photos[int(rng.integers(len(places.photos)))]
        return Background(photo(rng, size, [picture]).picture, place)
    if chosen < 0.5:
        return Background(landscape(rng, size).picture, OUTDOORS)
    if chosen < 0.7:
        return Background(room(rng, size).picture, INDOORS)
    return (clouds, gradient, stripes)[int(rng.choice(3, p=(0.5, 0.35, 0.15)))](rng, size)


def nothing(rng: Rng, size: Size) -> Scene:
    """A picture without objects that a detector might see some in: text, noise, one colour."""
    makers = (forbidden.text, forbidden.noise, forbidden.blank)
    return Scene(makers[int(rng.integers(3))](rng, size))


def place_one(rng: Rng, scene: Scene, stock: Stock, kind: str, part: float) -> None:
    """Put an object where it hides no other; where there is no room, none is put."""
    side = min(scene.picture.size)
    for _ in range(TRIES):
        reach = 0.42 * part
        middle = [float(rng.uniform(min(reach, 0.5), max(1 - reach, 0.5)) * length) for length in scene.picture.size]
        half = part * side / 2
        around = (middle[0] - half, middle[1] - half, middle[0] + half, middle[1] + half)
        if all(hidden(around, box) <= MOST_HIDDEN for _, box in scene.objects):
            paste(rng, scene, stock.any(rng, kind), part * side, (middle[0], middle[1]), kind)
            return


def hidden(first: Sequence[float], second: Box) -> float:
    """What part of the smaller box lies in the other."""
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (first, second)]
    return max(0.0, width) * max(0.0, height) / max(min(areas), 1.0)


def light_and_noise(rng: Rng, picture: Image.Image) -> Image.Image:
    """From night to overexposed, and now and then grainy."""
    if rng.random() < 0.8:
        picture = picture.point(exposure(rng.uniform(0.25, 1.35), rng.uniform(-15, 45)))
    return noisy(rng, picture, rng.uniform(3, 12)) if rng.random() < 0.35 else picture
