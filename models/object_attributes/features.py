"""A picture as object_attributes sees it (as image_screening does), and what its outputs mean."""

from typing import Any

from models.contract import Arrays, Manifest
from models.image_screening.features import encode
from models.object_attributes.finding import WHOLE, Part, Rules, brightness, found, where

__all__ = ["answer", "attributes", "encode"]


def answer(manifest: Manifest, outputs: Arrays) -> dict[str, Any]:
    """What the first row of the outputs means; boxes are parts of what the model saw."""
    return {"attributes": attributes(manifest, outputs)}


def attributes(manifest: Manifest, outputs: Arrays, seen: Part = WHOLE) -> dict[str, Any]:
    """How many objects, where, how bright, in what place; boxes are parts of the picture of which it saw `seen`."""
    rules = Rules.of(manifest.thresholds)
    boxes = found(outputs["boxes"][0], rules, seen)
    names = ("left", "top", "right", "bottom", "score")
    return {
        "objects": [{name: round(float(v), 4) for name, v in zip(names, box, strict=True)} for box in boxes],
        "count": len(boxes),
        "where": where(boxes, rules),
        "brightness": brightness(float(outputs["brightness"][0][0]), rules),
        "place": place(manifest, outputs, rules),
    }


def place(manifest: Manifest, outputs: Arrays, rules: Rules) -> str | None:
    """The place, where the model is sure of one."""
    chances = outputs["place"][0]
    best = int(chances.argmax())
    return (manifest.output("place").labels or ())[best] if best and chances[best] >= rules.place_score else None
