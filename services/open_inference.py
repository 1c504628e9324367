"""Tensors as JSON, as the Open Inference Protocol has them: read strictly, written plainly.

A value is never changed to fit: what does not fit its datatype is refused with the place and the reason.
"""

import math
from collections.abc import Sequence
from itertools import chain
from typing import Any
from uuid import UUID

import numpy as np
import orjson
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.contract import Arrays, ContractBroken
from services.prediction import Prediction, PredictionRequest

DATATYPES: dict[str, np.dtype[Any]] = {
    "BOOL": np.dtype(np.bool_),
    "UINT8": np.dtype(np.uint8),
    "UINT16": np.dtype(np.uint16),
    "UINT32": np.dtype(np.uint32),
    "UINT64": np.dtype(np.uint64),
    "INT8": np.dtype(np.int8),
    "INT16": np.dtype(np.int16),
    "INT32": np.dtype(np.int32),
    "INT64": np.dtype(np.int64),
    "FP16": np.dtype(np.float16),
    "FP32": np.dtype(np.float32),
    "FP64": np.dtype(np.float64),
    "BYTES": np.dtype(np.object_),
}
JSON_TYPES: dict[str, set[type]] = {"b": {bool}, "u": {int}, "i": {int}, "f": {int, float}, "O": {str}}
NAMES = {dtype: name for name, dtype in DATATYPES.items()}


class Part(BaseModel):
    """A part of a request; what the protocol may add later is ignored."""

    model_config = ConfigDict(extra="ignore", strict=True)


class TensorIn(Part):
    """One input as it came."""

    name: str
    datatype: str
    shape: list[int]
    data: list[Any] | None = None
    parameters: dict[str, Any] = {}


class TensorWanted(Part):
    """One output that is asked for."""

    name: str
    parameters: dict[str, Any] = {}


class InferRequest(Part):
    """The body of `infer`."""

    id: str | None = Field(None, max_length=200)
    inputs: list[TensorIn] = Field(min_length=1, max_length=32)
    outputs: list[TensorWanted] = []
    parameters: dict[str, Any] = {}

    @property
    def wanted(self) -> list[str]:
        """Names of the outputs that are asked for; none means all."""
        return [tensor.name for tensor in self.outputs]


def read_request(body: bytes) -> InferRequest:
    """The request in a body; raises ContractBroken."""
    try:
        return InferRequest.model_validate(orjson.loads(body))
    except orjson.JSONDecodeError as error:
        raise ContractBroken("body", f"not JSON: {error}", "a JSON object; NaN and Infinity are not JSON") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "body"
        raise ContractBroken(where, first["msg"], "see the Open Inference Protocol") from error


def read_tensors(tensors: Sequence[TensorIn]) -> dict[str, NDArray[Any]]:
    """The arrays of a request; raises ContractBroken."""
    arrays: dict[str, NDArray[Any]] = {}
    for tensor in tensors:
        if tensor.name in arrays:
            raise ContractBroken(f"inputs.{tensor.name}", "given twice", "exactly one tensor of that name")
        arrays[tensor.name] = read_tensor(tensor)
    return arrays


def read_tensor(tensor: TensorIn) -> NDArray[Any]:
    """One array; raises ContractBroken."""
    where = f"inputs.{tensor.name}"
    dtype = DATATYPES.get(tensor.datatype)
    if dtype is None:
        raise ContractBroken(f"{where}.datatype", f"unknown: {tensor.datatype[:20]}", ", ".join(DATATYPES))
    if any(size < 0 for size in tensor.shape):
        raise ContractBroken(f"{where}.shape", f"is {tensor.shape}", "sizes of 0 and more")
    if tensor.data is None:
        raise ContractBroken(f"{where}.data", "missing", "numbers, flat or nested as the shape is")
    values = _values(tensor.data, f"{where}.data")
    if values.size != math.prod(tensor.shape):
        wanted = f"{math.prod(tensor.shape)} values, as shape {tensor.shape} says"
        raise ContractBroken(f"{where}.data", f"holds {values.size} values", wanted)
    if values.ndim > 1 and list(values.shape) != tensor.shape:
        raise ContractBroken(
            f"{where}.data", f"is nested as {list(values.shape)}", f"flat, or nested as {tensor.shape}"
        )
    _check_types(tensor.data, dtype, f"{where}.data", tensor.datatype)
    return _typed(values.ravel(), dtype, f"{where}.data", tensor.datatype).reshape(tensor.shape)


def _values(data: list[Any], where: str) -> NDArray[Any]:
    """The values in the type that numpy finds for all of them together."""
    try:
        return np.asarray(data)
    except (ValueError, OverflowError) as error:
        raise ContractBroken(where, "is nested unevenly", "flat, or nested as the shape is") from error


def _check_types(data: list[Any], dtype: np.dtype[Any], where: str, datatype: str) -> None:
    """Numbers are not texts, true is not 1, and 1.5 is not an integer."""
    flat = data
    while flat and isinstance(flat[0], list):
        flat = list(chain.from_iterable(flat))
    strange = set(map(type, flat)) - JSON_TYPES[dtype.kind]
    if strange:
        held = ", ".join(sorted(kind.__name__ for kind in strange))
        raise ContractBroken(where, f"holds {held}", f"values of {datatype}")


def _typed(values: NDArray[Any], dtype: np.dtype[Any], where: str, datatype: str) -> NDArray[Any]:
    if values.size == 0:
        return np.empty(0, dtype)
    if dtype.kind == "O":
        return np.array([str(value).encode() for value in values], np.object_)
    if dtype.kind in "iu":
        _within(values, dtype, where, datatype)
    with np.errstate(over="ignore"):
        typed = values.astype(dtype)
    if dtype.kind == "f" and not np.isfinite(typed).all():
        raise ContractBroken(where, f"a number is too large for {datatype}", f"at most {np.finfo(dtype).max}")
    return typed


def _within(values: NDArray[Any], dtype: np.dtype[Any], where: str, datatype: str) -> None:
    least, most = np.iinfo(dtype).min, np.iinfo(dtype).max
    for value in (int(values.min()), int(values.max())):
        if not least <= value <= most:
            raise ContractBroken(where, f"{value} does not fit {datatype}", f"{least} to {most}")


def write_tensors(arrays: Arrays, wanted: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Arrays as the protocol shows them, data flat; those asked for in the order asked for, or all."""
    return [_written(name, arrays[name]) for name in (wanted or arrays)]


def _written(name: str, array: NDArray[Any]) -> dict[str, Any]:
    flat = np.ascontiguousarray(array).ravel()
    data = [_text(value) for value in flat] if array.dtype.kind == "O" else flat
    return {"name": name, "datatype": NAMES[array.dtype], "shape": list(array.shape), "data": data}


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value


def write_request(request: PredictionRequest) -> bytes:
    """The body that asks another host."""
    body = {"id": str(request.id), "inputs": write_tensors(request.inputs), "parameters": dict(request.parameters)}
    return orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY)


def write_answer(prediction: Prediction, id: str | None = None, wanted: Sequence[str] = ()) -> bytes:
    """The answer to `infer`: the caller's id, and who answered among the parameters."""
    parameters = {"served_by": prediction.served_by, "prediction_id": str(prediction.id)}
    body = {
        "id": id or str(prediction.id),
        "model_name": prediction.model,
        "model_version": prediction.version,
        "parameters": parameters | ({"reason": prediction.reason} if prediction.reason else {}),
        "outputs": write_tensors(prediction.outputs, wanted),
    }
    return orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY)


def read_answer(body: bytes, request: PredictionRequest) -> Prediction:
    """What another host answered; raises ValueError when it does not speak the protocol."""
    answer = orjson.loads(body)
    parameters = answer.get("parameters") or {}
    outputs = {entry["name"]: _read_output(entry) for entry in answer["outputs"]}
    return Prediction(
        id=UUID(parameters["prediction_id"]) if "prediction_id" in parameters else request.id,
        model=request.model,
        version=str(answer.get("model_version", "")),
        outputs=outputs,
        served_by="default" if parameters.get("served_by") == "default" else "model",
        reason=parameters.get("reason"),
    )


def _read_output(entry: dict[str, Any]) -> NDArray[Any]:
    return np.asarray(entry["data"], DATATYPES[entry["datatype"]]).reshape(entry["shape"])
