"""A picture as image_screening sees it: pixels and nothing else; the network does the rest."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.contract import Arrays, Manifest
from models.pictures import decode

SIZE = 160


def encode(raw: bytes) -> dict[str, NDArray[Any]]:
    """The input tensor of one picture file."""
    return {"image": decode(raw, SIZE)[None]}


def answer(manifest: Manifest, outputs: Arrays) -> dict[str, Any]:
    """What the first row of the outputs means."""
    return {
        "category": ranked(manifest, outputs, "category"),
        "violation": violation(manifest, outputs),
        "embedding": [float(value) for value in outputs["embedding"][0]],
    }


def ranked(manifest: Manifest, outputs: Arrays, name: str) -> dict[str, Any]:
    """The best label, how sure it is, and how far ahead of the next."""
    top = best(manifest, outputs, name)
    return {**top[0], "margin": top[0]["score"] - top[1]["score"], "top": top}


def violation(manifest: Manifest, outputs: Arrays) -> dict[str, Any]:
    """The likeliest label, the probability that it is any violation, and the first three."""
    top = best(manifest, outputs, "violation")
    return {"label": top[0]["label"], "score": float(1 - outputs["violation"][0][0]), "top": top}


def best(manifest: Manifest, outputs: Arrays, name: str, count: int = 3) -> list[dict[str, Any]]:
    """The likeliest labels of one output."""
    scores = outputs[name][0]
    labels = manifest.output(name).labels or ()
    order = np.argsort(-scores, kind="stable")[:count]
    return [{"label": labels[int(index)], "score": float(scores[index])} for index in order]
