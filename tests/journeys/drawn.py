"""Pictures of which everything is known, drawn for journeys with the icons that the pipelines draw with."""

import io
from functools import cache

import numpy as np
from PIL import Image

from pipelines.scenes.backgrounds import landscape, room
from pipelines.scenes.compose import exposure
from pipelines.scenes.sprites import find, rasterise, read_set

SIZE = (480, 480)
SPOTS = {
    1: [(0.5, 0.5)],
    3: [(0.22, 0.3), (0.75, 0.28), (0.5, 0.74)],
}
EXTENT = {1: 0.7, 3: 0.36}


SCENE = 30
"""Hills and a wall that nobody could take for anything else: what a model makes of doubtful ones, its card tells."""


def cats(count: int, *, dark: bool, outdoors: bool, salt: int) -> bytes:
    """So many cats, in front of hills or a wall; as PNG. A salt makes it a picture of its own, of the same scene."""
    picture = (landscape if outdoors else room)(np.random.default_rng(SCENE), SIZE).picture
    for across, down in SPOTS[count]:
        icon = _cat().resize([int(EXTENT[count] * SIZE[0])] * 2)
        corner = (int(across * SIZE[0] - icon.width / 2), int(down * SIZE[1] - icon.height / 2))
        picture.paste(icon, corner, icon)
    if dark:
        picture = picture.point(exposure(0.4, -5))
    out = io.BytesIO()
    _grainy(picture, salt).save(out, "PNG")
    return out.getvalue()


def _grainy(picture: Image.Image, salt: int) -> Image.Image:
    grain = np.random.default_rng(salt).integers(-1, 2, (*SIZE, 1))
    return Image.fromarray((np.asarray(picture, np.int16) + grain).clip(0, 255).astype(np.uint8))


@cache
def _cat() -> Image.Image:
    style = read_set("noto")
    icon = find(style, "cat face")
    assert icon
    return Image.open(io.BytesIO(rasterise(style.svg(icon), 256))).convert("RGBA")
