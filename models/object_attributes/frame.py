"""Which part of a picture the models see: of a wide or a tall one, not the ends."""

import io

from PIL import Image

from models.object_attributes.finding import Part
from models.pictures import FORMATS, WIDEST

ORIENTATION = 0x0112
LYING = (5, 6, 7, 8)
"""Values of the orientation in a camera's notes that swap width and height."""


def seen(raw: bytes) -> Part:
    """In parts of the upright picture; only its header is read. The file has been decoded before."""
    picture = Image.open(io.BytesIO(raw), formats=tuple(FORMATS))
    width, height = picture.size
    if picture.getexif().get(ORIENTATION) in LYING:
        width, height = height, width
    return part_of(width, height)


def part_of(width: int, height: int) -> Part:
    """What `models.pictures.square` keeps."""
    kept_width, kept_height = min(width, height * WIDEST), min(height, width * WIDEST)
    left, top = (1 - kept_width / width) / 2, (1 - kept_height / height) / 2
    return left, top, 1 - left, 1 - top
