"""A picture as super_resolution sees it: every pixel of it. And the enlarged one as a file."""

import io
from base64 import b64encode
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.contract import Arrays, Manifest
from models.pictures import UnreadablePicture, open_picture
from models.super_resolution.contract import MOST, NOTHING

QUICK_TO_PACK = 1
"""zlib's level: the highest saves a tenth of the bytes and takes ten times as long."""


def encode(raw: bytes) -> dict[str, NDArray[np.uint8]]:
    """The picture upright, RGB, at its own size; raises UnreadablePicture, also when it is too large."""
    picture = open_picture(raw, max_pixels=MOST * MOST)
    if max(picture.size) > MOST:
        raise UnreadablePicture(f"{picture.width} x {picture.height} is larger than {MOST} x {MOST} pixels")
    return {"image": np.asarray(picture, np.uint8)[None]}


def answer(manifest: Manifest, outputs: Arrays) -> dict[str, Any]:
    """The first row as a PNG file in base64; nothing where the default answered."""
    pixels = outputs["enlarged"][0]
    height, width = pixels.shape[:2]
    if (height, width) == np.shape(NOTHING)[:2]:
        return {"picture": None}
    return {"picture": {"png": b64encode(png(pixels)).decode(), "width": width, "height": height}}


def png(pixels: NDArray[np.uint8]) -> bytes:
    """A PNG file: what was won by the model is not lost by compression."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=QUICK_TO_PACK)
    return file.getvalue()
