"""Which pictures are the same to the eye: the same photo in another size, format or quality."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import combinations, pairwise

import numpy as np

from models.pictures import decode

SIDE = 16
BITS = SIDE * SIDE
BANDS = 8
NEAR = BANDS - 1
"""Of 256 bits. Two hashes that differ in fewer bits than there are bands have a band in common."""

FLAT = 8.0
"""Below this spread of its grey (of 255) a picture shows nothing that could be compared."""

CROWD = 50
"""More with the same band than this share a plain background: only equal hashes count among them."""


def look(content: bytes) -> bytes | None:
    """Where a small grey copy gets brighter from left to right, as bits; nothing of a flat picture."""
    pixels = decode(content, SIDE * 4).astype(np.float32).mean(2)
    if float(pixels.std()) < FLAT:
        return None
    wide = pixels.reshape(SIDE, 4, SIDE * 4).mean(1)
    edges = np.linspace(0, SIDE * 4, SIDE + 2).astype(int)
    cells = np.stack([wide[:, start:end].mean(1) for start, end in pairwise(edges)], 1)
    return np.packbits(cells[:, 1:] > cells[:, :-1]).tobytes()


def pairs(looks: Sequence[bytes | None]) -> list[tuple[int, int]]:
    """Places of pictures that look the same, the earlier first."""
    bands: dict[tuple[int, bytes], list[int]] = defaultdict(list)
    size = BITS // 8 // BANDS
    for at, one in enumerate(looks):
        for band in range(BANDS if one else 0):
            assert one
            bands[band, one[band * size : (band + 1) * size]].append(at)
    near = {pair for members in bands.values() for pair in _near(members, looks)}
    return sorted(near)


def _near(members: Sequence[int], looks: Sequence[bytes | None]) -> list[tuple[int, int]]:
    if len(members) > CROWD:
        return _equal(members, looks)
    return [(a, b) for a, b in combinations(members, 2) if distance(looks[a], looks[b]) <= NEAR]


def _equal(members: Sequence[int], looks: Sequence[bytes | None]) -> list[tuple[int, int]]:
    first: dict[bytes | None, int] = {}
    return [(first[looks[at]], at) for at in members if first.setdefault(looks[at], at) != at]


def distance(one: bytes | None, other: bytes | None) -> int:
    """How many bits differ."""
    assert one is not None
    assert other is not None
    return (int.from_bytes(one) ^ int.from_bytes(other)).bit_count()
