"""Makes of an uploaded file what is stored: the picture upright and without metadata, in three sizes."""

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from PIL import Image

from models.pictures import FORMATS, MAX_PIXELS, UnreadablePicture, open_picture, sniff
from services.chassis.errors import BadInput, Fault, Problem

SMALLEST_SIDE: Final = 32
HEAVY_PIXELS: Final = 16_000_000
LARGE_SIDE: Final = 1280
THUMBNAIL_SIDE: Final = 320
ALLOWED_TYPES: Final = ", ".join(FORMATS)
ALLOWED: Final = f"a whole {ALLOWED_TYPES} file of at most {MAX_PIXELS // 1_000_000} megapixels"

ENCODINGS: Final[Mapping[str, Mapping[str, Any]]] = {
    "jpeg": {"format": "JPEG", "quality": 92},
    "png": {"format": "PNG"},
    "webp": {"format": "WEBP", "quality": 92},
}


class UnknownType(Problem):
    """The file is of a type that is not taken."""

    status = 415


@dataclass(frozen=True)
class Prepared:
    """A picture ready to be stored; its id is the hash of its original."""

    id: str
    width: int
    height: int
    format: str
    files: Mapping[str, bytes]

    @property
    def size_bytes(self) -> int:
        """Of the original."""
        return len(self.files["original"])


def heavy(raw: bytes) -> bool:
    """Whether decoding takes so much memory that one at a time is enough; only the header is read."""
    try:
        width, height = Image.open(io.BytesIO(raw), formats=tuple(FORMATS)).size
    except Exception:  # whatever is wrong with it, `prepare` says it better
        return False
    return width * height > HEAVY_PIXELS


def prepare(raw: bytes) -> Prepared:
    """Decode and encode; nothing of the uploaded bytes themselves is kept. Raises Problem with what is wrong."""
    kind = _type(raw)
    try:
        picture = open_picture(raw)
    except UnreadablePicture as error:
        raise BadInput("", _fault(error.reason, ALLOWED)) from error
    if min(picture.size) < SMALLEST_SIDE:
        what = f"is {picture.width} x {picture.height} pixels"
        raise BadInput("", _fault(what, f"at least {SMALLEST_SIDE} x {SMALLEST_SIDE} pixels"))
    original = _encoded(picture, **ENCODINGS[kind])
    large = _fitting(picture, LARGE_SIDE)
    files = {
        "original": original,
        "large": _encoded(large, format="JPEG", quality=85),
        "thumbnail": _encoded(_fitting(large, THUMBNAIL_SIDE), format="JPEG", quality=80),
    }
    return Prepared(hashlib.sha256(original).hexdigest(), picture.width, picture.height, kind, files)


def _type(raw: bytes) -> str:
    if not raw:
        raise BadInput("", _fault("is empty", ALLOWED))
    try:
        return sniff(raw)
    except UnreadablePicture as error:
        raise UnknownType("", _fault(error.reason, ALLOWED_TYPES)) from error


def _fault(what: str, allowed: str) -> Fault:
    return Fault(where="body.file", what=what, allowed=allowed)


def _fitting(picture: Image.Image, side: int) -> Image.Image:
    """The picture, made smaller when it is larger than a square of that side."""
    if max(picture.size) <= side:
        return picture
    factor = max(picture.size) // (2 * side)
    smaller = picture.reduce(factor) if factor > 1 else picture.copy()
    smaller.thumbnail((side, side), Image.Resampling.LANCZOS)
    return smaller


def _encoded(picture: Image.Image, **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, **options)
    return file.getvalue()
