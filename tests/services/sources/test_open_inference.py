"""Tensors as JSON: nothing is changed to fit."""

from typing import Any

import numpy as np
import pytest

from models.refusal import ContractBroken
from services.open_inference import TensorIn, read_tensor, write_tensors

READ: list[tuple[str, list[int], Any, Any]] = [
    ("FP32", [2, 2], [1, 2.5, 3, 4], np.array([[1, 2.5], [3, 4]], np.float32)),
    ("FP32", [2, 2], [[1, 2.5], [3, 4]], np.array([[1, 2.5], [3, 4]], np.float32)),
    ("UINT8", [1, 2, 1], [[[0], [255]]], np.array([[[0], [255]]], np.uint8)),
    ("UINT64", [1], [2**64 - 1], np.array([2**64 - 1], np.uint64)),
    ("BOOL", [2], [True, False], np.array([True, False])),
    ("BYTES", [1, 1], ["猫"], np.array([["猫".encode()]], np.object_)),
    ("INT64", [0, 4], [], np.empty((0, 4), np.int64)),
]


@pytest.mark.parametrize(("datatype", "shape", "data", "expected"), READ)
def test_values_arrive_as_they_were_sent(datatype: str, shape: list[int], data: Any, expected: Any) -> None:
    array = read_tensor(TensorIn(name="x", datatype=datatype, shape=shape, data=data))
    assert (array.dtype, array.shape) == (expected.dtype, expected.shape)
    np.testing.assert_array_equal(array, expected)


@pytest.mark.parametrize(
    ("datatype", "shape", "data", "reason"),
    [
        ("UINT8", [2], [1, 300], "300 does not fit UINT8"),
        ("UINT8", [2], [-1, 3], "-1 does not fit UINT8"),
        ("INT32", [1], [1.0], "holds float"),
        ("FP16", [1], [1e6], "too large for FP16"),
        ("FP32", [2], [True, 1.0], "holds bool"),
        ("BYTES", [2], ["a", 1], "holds int"),
        ("FP32", [2, 2], [[1, 2], [3]], "not nested as its shape at depth 1"),
        ("FP32", [2, 2], [[1, 2], 3], "not nested as its shape at depth 1"),
        ("FP32", [4], [[1, 2], [3, 4]], "not nested as its shape at depth 0"),
        ("FP32", [1, 1], [[[1]]], "holds list"),
        ("FP32", [2], [1, [2]], "holds list"),
        ("FP32", [2], {"a": 1}, "is no list"),
    ],
)
def test_what_does_not_fit_is_refused(datatype: str, shape: list[int], data: Any, reason: str) -> None:
    with pytest.raises(ContractBroken, match=reason):
        read_tensor(TensorIn(name="x", datatype=datatype, shape=shape, data=data))


def test_texts_are_written_as_texts() -> None:
    (written,) = write_tensors({"x": np.array(["猫".encode()], np.object_)})
    assert written == {"name": "x", "datatype": "BYTES", "shape": [1], "data": ["猫"]}
