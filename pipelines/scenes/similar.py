"""How good an embedding is for finding similar pictures: of the nearest five, how many are alike."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def precision_at(
    embedding: NDArray[np.float32], categories: NDArray[np.int64], concepts: Sequence[str], count: int = 5
) -> dict[str, float]:
    """Of the nearest pictures, the part of the same category, and of the same object where one is shown.

    The first is also taken with pictures of the same object left out, which is the harder question.
    """
    likeness = embedding @ embedding.T
    np.fill_diagonal(likeness, -2)
    names = np.array(concepts)
    single = np.flatnonzero(names != "")
    same_object = names[:, None] == names[None, :]
    near = nearest(likeness, count)
    others = nearest(np.where(same_object, -2, likeness), count)
    return {
        "similar_same_category": float((categories[near] == categories[:, None]).mean()),
        "similar_same_object": float(same_object[single[:, None], near[single]].mean()),
        "similar_other_object_same_category": float((categories[others[single]] == categories[single, None]).mean()),
    }


def nearest(likeness: NDArray[np.float32], count: int) -> NDArray[np.int64]:
    """Positions of the most alike in each row."""
    return np.argsort(-likeness, axis=1, kind="stable")[:, :count]
