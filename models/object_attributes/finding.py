"""From the detector's boxes to what is said of a picture. Evaluation and hosts call these same functions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Part = tuple[float, float, float, float]
WHOLE: Part = (0.0, 0.0, 1.0, 1.0)
WHERE = ("left", "right", "top", "bottom", "centre")


@dataclass(frozen=True)
class Rules:
    """The decisions; a manifest's thresholds have these names."""

    object_score: float
    """An object is counted from this score on."""
    overlap: float = 0.45
    """Of two boxes that share more of their area, the better one stays."""
    nested: float = 0.8
    """The same for a box of which so much lies inside of a better one."""
    prominence: float = 0.5
    """What is less than so much as wide as the widest object is not what the picture shows."""
    off_centre: float = 0.12
    """How far from the middle an object is left, right, at the top or at the bottom."""
    dark: float = 0.33
    bright: float = 0.62
    place_score: float = 0.8
    """A place is said from this probability on."""

    @classmethod
    def of(cls, thresholds: Mapping[str, float]) -> "Rules":
        """As a manifest has them; what it does not say is as usual, and a score that none reaches."""
        known = {name: value for name, value in thresholds.items() if name in cls.__dataclass_fields__}
        return cls(**({"object_score": 1.0} | known))


def found(boxes: Floats, rules: Rules, seen: Part = WHOLE) -> Floats:
    """The objects that count, best first, in parts of the whole picture, of which the model saw `seen`."""
    ordered = boxes[np.argsort(-boxes[:, 4], kind="stable")]
    good = ordered[ordered[:, 4] >= rules.object_score]
    return moved(prominent(apart(good, rules), rules), seen)


def apart(boxes: Floats, rules: Rules) -> Floats:
    """Without those that show what a better one shows."""
    kept: list[int] = []
    for index in range(len(boxes)):
        common = [shared(boxes[index], boxes[other]) for other in kept]
        if all(union <= rules.overlap and inside <= rules.nested for union, inside in common):
            kept.append(index)
    return boxes[kept]


def shared(first: Floats, second: Floats) -> tuple[float, float]:
    """The common part of two boxes: of both together, and of the first one."""
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    common = float(max(width, 0.0) * max(height, 0.0))
    mine, other = area(first), area(second)
    return common / max(mine + other - common, 1e-9), common / max(mine, 1e-9)


def area(box: Floats) -> float:
    """Of a box, in parts of the picture."""
    return float(max(box[2] - box[0], 0.0) * max(box[3] - box[1], 0.0))


def prominent(boxes: Floats, rules: Rules) -> Floats:
    """Without what is small beside the largest: something that lies about."""
    sizes = np.sqrt([area(box) for box in boxes])
    return boxes[sizes >= rules.prominence * sizes.max()] if len(boxes) else boxes


def moved(boxes: Floats, seen: Part) -> Floats:
    """From parts of what the model saw to parts of the picture."""
    left, top, right, bottom = seen
    scale = np.array([right - left, bottom - top] * 2 + [1.0], np.float32)
    return np.asarray(boxes * scale + np.array([left, top, left, top, 0.0], np.float32), np.float32)


def where(boxes: Sequence[Floats] | Floats, rules: Rules) -> list[str]:
    """Where the objects are, all that is true of any; an object that is nowhere else is in the centre."""
    told = {word for box in boxes for word in where_one(box, rules)}
    return [word for word in WHERE if word in told]


def where_one(box: Floats, rules: Rules) -> list[str]:
    """Where one object's middle is."""
    across, down = (box[0] + box[2]) / 2 - 0.5, (box[1] + box[3]) / 2 - 0.5
    off = rules.off_centre
    words = ["left"] * bool(across < -off) + ["right"] * bool(across > off)
    words += ["top"] * bool(down < -off) + ["bottom"] * bool(down > off)
    return words or ["centre"]


def brightness(value: float, rules: Rules) -> str:
    """The word for a mean luma."""
    return "dark" if value < rules.dark else "bright" if value > rules.bright else "medium"
