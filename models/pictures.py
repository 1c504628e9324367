"""Reads pictures from bytes nobody vouches for, the same way in training, serving and the picture store.

A JPEG is decoded at the smallest scale that is still large enough (its own DCT does the scaling), so
a large photo costs little more than a small one.
"""

import io
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

FORMATS: Final = {"JPEG": "jpeg", "PNG": "png", "WEBP": "webp"}
"""What is accepted: Pillow's name of a format, and ours."""

MAX_PIXELS: Final = 40_000_000
WIDEST: Final = 1.1
"""A wider (or taller) picture loses its ends before it is squeezed into a square: what it shows keeps its shape."""

SIGNATURES: Final = ((b"\xff\xd8\xff", "jpeg"), (b"\x89PNG\r\n\x1a\n", "png"))
SIXTEEN_BITS: Final = ("I;16", "I;16B", "I;16L", "I;16N", "I")


class UnreadablePicture(ValueError):
    """The file is not a picture that can be used."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def sniff(raw: bytes) -> str:
    """The format by the first bytes, whatever the name of the file or its declared type says."""
    for signature, name in SIGNATURES:
        if raw.startswith(signature):
            return name
    if raw[:4] == b"RIFF" and raw[8:12] == b"WEBP":
        return "webp"
    raise UnreadablePicture("not a JPEG, PNG or WebP picture")


def open_picture(raw: bytes, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """The whole picture: upright, RGB, without metadata."""
    picture = _load(_opened(raw, max_pixels))
    picture.info.clear()
    return picture


def decode(raw: bytes, size: int, max_pixels: int = MAX_PIXELS) -> NDArray[np.uint8]:
    """The picture as the models see it: [size, size, 3], RGB."""
    picture = _opened(raw, max_pixels)
    picture.draft("RGB", (size, size))
    return square(_load(picture), size)


def square(picture: Image.Image, size: int) -> NDArray[np.uint8]:
    """Fit an upright RGB picture into a square, squeezed rather than framed."""
    width, height = picture.size
    kept_width, kept_height = min(width, height * WIDEST), min(height, width * WIDEST)
    left, top = (width - kept_width) / 2, (height - kept_height) / 2
    box = (left, top, left + kept_width, top + kept_height)
    if (width, height) == (size, size):
        return np.asarray(picture, np.uint8)
    return np.asarray(picture.resize((size, size), Image.Resampling.BILINEAR, box, reducing_gap=2.0), np.uint8)


def _opened(raw: bytes, max_pixels: int) -> Image.Image:
    """The header only; pixels are read later, when their number is known to be harmless."""
    sniff(raw)
    try:
        picture = Image.open(io.BytesIO(raw), formats=tuple(FORMATS))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UnreadablePicture(f"more than {max_pixels} pixels") from error
    except Exception as error:
        raise UnreadablePicture("damaged: its header cannot be read") from error
    if picture.width * picture.height > max_pixels:
        raise UnreadablePicture(f"{picture.width} x {picture.height} is more than {max_pixels} pixels")
    return picture


def _load(picture: Image.Image) -> Image.Image:
    """Read the pixels, turn them upright and make them RGB."""
    try:
        picture.load()
        return _rgb(ImageOps.exif_transpose(picture))
    except Exception as error:  # decoders fail in many ways on damaged files, all of them the file's fault
        raise UnreadablePicture("damaged or cut short") from error


def _rgb(picture: Image.Image) -> Image.Image:
    """RGB of any mode: 16 bits are scaled, transparency becomes white."""
    if picture.mode in SIXTEEN_BITS:
        grey = np.asarray(picture).astype(np.int64) >> 8
        return Image.fromarray(grey.clip(0, 255).astype(np.uint8)).convert("RGB")
    if picture.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in picture.info:
        seen = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", seen.size, "white"), seen).convert("RGB")
    return picture.convert("RGB") if picture.mode != "RGB" else picture
