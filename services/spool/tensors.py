"""What the prediction log keeps of a tensor: the values of a small one; of a large one its best labels, or its hash."""

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.contract import DTYPES, Arrays, TensorSpec

BEST = 3
_NAMES = {dtype.char: name for name, dtype in DTYPES.items()}
_NUMBERS = {char: name for char, name in _NAMES.items() if name != "BYTES"}


def kept(arrays: Arrays, specs: tuple[TensorSpec, ...], most: int) -> dict[str, dict[str, Any]]:
    """The fields of each tensor; one with more than so many values is summarised."""
    found = {}
    for name, array in arrays.items():
        datatype = _NUMBERS.get(array.dtype.char)
        if datatype and array.size <= most:
            found[name] = {"datatype": datatype, "shape": array.shape, "data": array.ravel()}
        else:
            found[name] = _in_short(name, array, specs)
    return found


def _in_short(name: str, array: NDArray[Any], specs: tuple[TensorSpec, ...]) -> dict[str, Any]:
    about = {"datatype": _NAMES.get(array.dtype.char) or str(array.dtype), "shape": array.shape}
    labels = next((spec.labels for spec in specs if spec.name == name), None)
    if labels and array.ndim == 2 and array.shape[1] == len(labels):
        return about | {"top": _best(array, labels)}
    return about | {"sha256": _sha256(array)}


def _best(array: NDArray[Any], labels: tuple[str, ...]) -> list[list[tuple[str, float]]]:
    order = np.argsort(-array, axis=1, kind="stable")[:, :BEST]
    return [[(labels[at], float(row[at])) for at in best] for row, best in zip(array, order, strict=True)]


def _sha256(array: NDArray[Any]) -> str:
    if array.dtype.kind != "O":
        return hashlib.sha256(array.ravel().view(np.uint8).data).hexdigest()
    found = hashlib.sha256()
    for value in array.ravel():
        found.update(len(value).to_bytes(8) + value)
    return found.hexdigest()
