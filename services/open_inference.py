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

from models.contract import Arrays
from models.refusal import ContractBroken
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
MOST_LISTS = 30_000
"""Millions of lists take Python seconds, in which it does nothing else; a picture nested by pixels has 25,761."""


class Part(BaseModel):
    """A part of a request; what the protocol may add later is ignored."""

    model_config = ConfigDict(extra="ignore", strict=True)


class TensorIn(Part):
    """One input as it came."""

    name: str
    datatype: str
    shape: list[int]
    data: Any = Field(None, description="Looked at only when name, datatype and shape fit.")
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
    if body.count(b"[") + body.count(b"{") > MOST_LISTS:
        raise ContractBroken("body", "too many lists", f"at most {MOST_LISTS}: send large tensors flat")
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
    flat = _flat(tensor.data, tensor.shape, f"{where}.data")
    _check_types(flat, dtype, f"{where}.data", tensor.datatype)
    return _typed(flat, dtype, f"{where}.data", tensor.datatype).reshape(tensor.shape)


def _flat(data: Any, shape: Sequence[int], where: str) -> list[Any]:
    """The values in order, whether they came flat or nested as the shape is."""
    if not isinstance(data, list):
        raise ContractBroken(where, "is no list", "numbers, flat or nested as the shape is")
    count = math.prod(shape)
    if not data or not isinstance(data[0], list):
        if len(data) != count:
            raise ContractBroken(where, f"holds {len(data)} values", f"{count} values, as shape {list(shape)} says")
        return data
    for depth, size in enumerate(shape):
        inner = [data] if depth == 0 else data
        if not all(isinstance(part, list) and len(part) == size for part in inner):
            raise ContractBroken(where, f"is not nested as its shape at depth {depth}", f"flat, or as {list(shape)}")
        data = list(chain.from_iterable(inner))
    return list(data)


def _check_types(flat: list[Any], dtype: np.dtype[Any], where: str, datatype: str) -> None:
    """Numbers are not texts, true is not 1, and 1.5 is not an integer."""
    strange = set(map(type, flat)) - JSON_TYPES[dtype.kind]
    if strange:
        held = ", ".join(sorted(kind.__name__ for kind in strange))
        raise ContractBroken(where, f"holds {held}", f"values of {datatype}")


def _typed(flat: list[Any], dtype: np.dtype[Any], where: str, datatype: str) -> NDArray[Any]:
    if dtype.kind == "O":
        return np.array([value.encode() for value in flat], np.object_)
    if dtype.kind in "iu" and flat:
        _within(flat, dtype, where, datatype)
    with np.errstate(over="ignore"):
        typed = np.array(flat, dtype)
    if dtype.kind == "f" and not np.isfinite(typed).all():
        raise ContractBroken(where, f"a number is too large for {datatype}", f"at most {np.finfo(dtype).max}")
    return typed


def _within(flat: list[int], dtype: np.dtype[Any], where: str, datatype: str) -> None:
    least, most = np.iinfo(dtype).min, np.iinfo(dtype).max
    for value in (min(flat), max(flat)):
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
