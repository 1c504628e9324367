"""A line of four numbers as the model takes it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.contract import Arrays, Manifest


def encode(raw: bytes) -> dict[str, NDArray[Any]]:
    """The features of one flower, `5.1,3.5,1.4,0.2`; raises ValueError."""
    numbers = [float(number) for number in raw.decode().split(",")]
    if len(numbers) != 4:
        raise ValueError(f"{len(numbers)} numbers; four are needed: sepal and petal, length and width, in cm")
    return {"features": np.asarray([numbers], np.float32)}


def answer(manifest: Manifest, outputs: Arrays) -> dict[str, Any]:
    """The likeliest species of the first row."""
    scores = outputs["probabilities"][0]
    labels = manifest.output("probabilities").labels or ()
    best = int(scores.argmax())
    return {"species": {"label": labels[best], "score": float(scores[best])}}
