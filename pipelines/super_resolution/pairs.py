"""A picture and its half: what the model is given, and what it should have made of it."""

from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.super_resolution.contract import FACTOR

Pixels = NDArray[np.uint8]


def halved(picture: Image.Image) -> Image.Image:
    """Half as wide and as high, as programs make pictures smaller."""
    size = (picture.width // FACTOR, picture.height // FACTOR)
    return picture.resize(size, Image.Resampling.BICUBIC)


def even(picture: Image.Image) -> Image.Image:
    """Without an odd last row or column, so that its half is exactly half."""
    return picture.crop((0, 0, picture.width // FACTOR * FACTOR, picture.height // FACTOR * FACTOR))


def plainly(small: Pixels, how: Image.Resampling) -> Pixels:
    """Enlarged by a formula."""
    picture = Image.fromarray(small)
    return np.asarray(picture.resize((picture.width * FACTOR, picture.height * FACTOR), how), np.uint8)


def compressed(small: Pixels, quality: int) -> Pixels:
    """What JPEG leaves of it."""
    file = BytesIO()
    Image.fromarray(small).save(file, "JPEG", quality=quality)
    return read(file.getvalue())


def png(picture: Image.Image) -> bytes:
    """A file that loses nothing."""
    file = BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def read(raw: bytes) -> Pixels:
    """The pixels of such a file."""
    return np.asarray(Image.open(BytesIO(raw)).convert("RGB"), np.uint8)
