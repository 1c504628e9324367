"""What super_resolution promises."""

from typing import Final

from models.contract import Manifest, TensorSpec

FACTOR: Final = 2
MOST: Final = 320
"""Longest side of a picture that is enlarged: a larger one is large enough, and memory must not grow with it."""
ONE_STEP: Final = 1.0
"""Of 255: where an answer lies between two, another processor may round it to the other."""
NOTHING: Final = [[[127, 127, 127]]]
"""One grey pixel. A real answer has four at least, so that nobody takes it for a picture."""


def contract() -> Manifest:
    """The contract without what only a pipeline knows."""
    return Manifest(
        name="super_resolution",
        title="A small picture, twice as wide and as high, and sharper than a plain enlargement",
        inputs=(pixels("image", "upright RGB picture", MOST),),
        outputs=(pixels("enlarged", "the same picture, twice as high and twice as wide", FACTOR * MOST),),
        default={"enlarged": NOTHING},
        requires={},
        files={},
        tolerance=ONE_STEP,
    )


def pixels(name: str, meaning: str, most: int) -> TensorSpec:
    """A picture of any height and width up to `most`."""
    return TensorSpec(
        name=name,
        datatype="UINT8",
        shape=(-1, -1, -1, 3),
        meaning=f"{meaning}; height and width are free, up to {most}",
        minimum=0,
        maximum=255,
        colour_space="RGB",
        most=most,
    )
