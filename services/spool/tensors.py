"""What the prediction log keeps of a tensor: the values of a small one; of a large one its best labels, or its hash."""

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.contract import DTYPES, Arrays, TensorSpec
from services.spool.record import Tensor

BEST = 3
_NAMES = {dtype: name for name, dtype in DTYPES.items()}


def kept(arrays: Arrays, specs: tuple[TensorSpec, ...], most: int) -> dict[str, Tensor]:
    """Each tensor; one with more than so many values is summarised."""
    return {
        name: _in_full(array) if array.size <= most and array.dtype.kind in "fiub" else _in_short(name, array, specs)
        for name, array in arrays.items()
    }


def _in_full(array: NDArray[Any]) -> Tensor:
    return Tensor(_NAMES.get(array.dtype) or str(array.dtype), array.shape, array.ravel())


def _in_short(name: str, array: NDArray[Any], specs: tuple[TensorSpec, ...]) -> Tensor:
    datatype = _NAMES.get(array.dtype) or str(array.dtype)
    labels = next((spec.labels for spec in specs if spec.name == name), None)
    if labels and array.ndim == 2 and array.shape[1] == len(labels):
        return Tensor(datatype, array.shape, top=_best(array, labels))
    return Tensor(datatype, array.shape, sha256=_sha256(array))


def _best(array: NDArray[Any], labels: tuple[str, ...]) -> list[list[tuple[str, float]]]:
    order = np.argsort(-array, axis=1, kind="stable")[:, :BEST]
    return [[(labels[at], float(row[at])) for at in best] for row, best in zip(array, order, strict=True)]


def _sha256(array: NDArray[Any]) -> str:
    if array.dtype.kind != "O":
        return hashlib.sha256(array.ravel().view(np.uint8).data).hexdigest()
    found = hashlib.sha256()
    for value in array.ravel():
        found.update(len(value).to_bytes(8) + (value if isinstance(value, bytes) else str(value).encode()))
    return found.hexdigest()
