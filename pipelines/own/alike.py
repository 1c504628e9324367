"""Which pictures are the same to the eye: the same photo in another size, format, quality or brightness.

A perceptual hash (signs of the slowest waves in the picture) finds who may be the same; small grey
copies of those are compared.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.pictures import decode

SIDE, WAVES, COPY = 32, 8, 16
NEAR = 8
"""Of 64 bits."""

SAME = 0.95
"""Correlation of the grey copies."""

FLAT = 6.0
"""Below this spread of its grey (of 255) a picture shows nothing that could be compared."""

ROWS = 512

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Look:
    """What a picture looks like from afar."""

    waves: int
    copy: Floats


def look(content: bytes) -> Look | None:
    """Of a picture file; nothing of a flat one."""
    grey = decode(content, SIDE).astype(np.float32).mean(2)
    if float(grey.std()) < FLAT:
        return None
    waves = (cosines() @ grey @ cosines().T).ravel()[1:]  # without the brightness of the whole
    bits = np.packbits(np.append(waves > np.median(waves), False))
    copy = grey.reshape(COPY, SIDE // COPY, COPY, SIDE // COPY).mean((1, 3)).ravel()
    copy -= copy.mean()
    return Look(int.from_bytes(bits.tobytes()), (copy / np.linalg.norm(copy)).astype(np.float32))


def cosines() -> Floats:
    """The slowest waves along one side."""
    at = (np.arange(SIDE) + 0.5) * np.pi / SIDE
    return np.cos(np.arange(WAVES)[:, None] * at[None]).astype(np.float32)


def pairs(looks: Sequence[Look | None]) -> list[tuple[int, int]]:
    """Places of pictures that look the same, the earlier first."""
    places = [at for at, one in enumerate(looks) if one]
    known = [one for one in looks if one]
    waves = np.array([one.waves for one in known], np.uint64)
    found = []
    for start in range(0, len(known), ROWS):
        apart = np.bitwise_count(waves[start : start + ROWS, None] ^ waves[None, :])
        for row, other in zip(*np.nonzero(apart <= NEAR), strict=True):
            if start + row < other and float(known[start + row].copy @ known[other].copy) >= SAME:
                found.append((places[start + row], places[other]))
    return found
