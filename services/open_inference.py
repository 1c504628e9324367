"""Tensors as JSON or as raw bytes, as the Open Inference Protocol has them: read strictly, written plainly.

Raw bytes ("binary tensors") follow the JSON, whose length a header tells. A value is never changed to fit: what
does not fit its datatype is refused with the place and the reason.
"""

import math
from collections.abc import Callable, Mapping, Sequence
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
NAMES = {"q": "INT64", "Q": "UINT64"} | {dtype.char: name for name, dtype in DATATYPES.items()}
"""By numpy's letter: a dtype takes ten times as long to look up."""
NO_TAIL = memoryview(b"")
Binary = Callable[[str], bool]
"""Whether an output is asked for as raw bytes."""
JSON_SIZE = "inference-header-content-length"
"""The header that tells where in a body the JSON ends and raw tensors begin."""
BINARY_SIZE, BINARY_WANTED, ALL_BINARY = "binary_data_size", "binary_data", "binary_data_output"
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

    @property
    def binary(self) -> Binary:
        """Which outputs are asked for as raw bytes."""
        asked = {
            tensor.name: tensor.parameters[BINARY_WANTED] is True
            for tensor in self.outputs
            if BINARY_WANTED in tensor.parameters
        }
        return binary_of(asked, self.parameters)


def binary_of(asked: Mapping[str, bool], parameters: Mapping[str, Any]) -> Binary:
    """Who is asked for as raw bytes: each as it says, and the rest as the request says for all."""
    everything = parameters.get(ALL_BINARY) is True
    return lambda name: asked.get(name, everything)


def split(body: bytes, json_size: str | None) -> tuple[bytes, memoryview]:
    """The JSON of a body and the raw tensors behind it; raises ContractBroken."""
    if json_size is None:
        return body, NO_TAIL
    size = int(json_size) if json_size.isascii() and json_size.isdigit() else -1
    if not 0 <= size <= len(body):
        raise ContractBroken("header", f"{JSON_SIZE} is {json_size[:20]}", f"0 to {len(body)}, the length of the body")
    return body[:size], memoryview(body)[size:]


def read_request(body: bytes) -> InferRequest:
    """The request in the JSON of a body; raises ContractBroken."""
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


def read_tensors(tensors: Sequence[TensorIn], tail: memoryview = NO_TAIL) -> dict[str, NDArray[Any]]:
    """The arrays of a request, from its JSON and the raw bytes behind it; raises ContractBroken."""
    arrays: dict[str, NDArray[Any]] = {}
    for tensor in tensors:
        if tensor.name in arrays:
            raise ContractBroken(f"inputs.{tensor.name}", "given twice", "exactly one tensor of that name")
        if BINARY_SIZE in tensor.parameters:
            part, tail = _cut(tensor, tail)
            arrays[tensor.name] = raw_tensor(tensor.name, tensor.datatype, tensor.shape, part)
        else:
            arrays[tensor.name] = read_tensor(tensor)
    if len(tail):
        raise ContractBroken("body", f"{len(tail)} bytes behind the last tensor", "as many as the tensors say")
    return arrays


def _cut(tensor: TensorIn, tail: memoryview) -> tuple[memoryview, memoryview]:
    where, size = f"inputs.{tensor.name}.parameters.{BINARY_SIZE}", tensor.parameters[BINARY_SIZE]
    if tensor.data is not None:
        raise ContractBroken(where, "is given beside data", "one of the two")
    if type(size) is not int or not 0 <= size <= len(tail):
        raise ContractBroken(where, f"is {str(size)[:20]}", f"0 to {len(tail)}, what is left of the body")
    return tail[:size], tail[size:]


def raw_tensor(name: str, datatype: str, shape: Sequence[int], part: memoryview) -> NDArray[Any]:
    """An array from raw bytes: little-endian, row-major; raises ContractBroken."""
    where = f"inputs.{name}"
    dtype = _dtype(where, datatype, shape)
    count = math.prod(shape)
    if dtype.kind == "O":
        return _raw_texts(part, count, f"{where}.data").reshape(shape)
    if len(part) != count * dtype.itemsize:
        wanted = f"{count * dtype.itemsize} bytes, as shape {list(shape)} of {datatype} says"
        raise ContractBroken(f"{where}.data", f"holds {len(part)} bytes", wanted)
    array = np.frombuffer(part, dtype).reshape(shape)
    return array if array.flags.aligned else array.copy()


def typed_tensor(name: str, datatype: str, shape: Sequence[int], values: Sequence[Any]) -> NDArray[Any]:
    """An array from values whose types somebody else has checked; raises ContractBroken."""
    where = f"inputs.{name}"
    dtype = _dtype(where, datatype, shape)
    flat = _flat(list(values), shape, f"{where}.data")
    if dtype.kind == "O":
        found = np.empty(len(flat), np.object_)
        found[:] = flat
        return found.reshape(shape)
    if dtype.kind in "iu" and flat:
        _within(flat, dtype, f"{where}.data", datatype)
    return np.array(flat, dtype).reshape(shape)


def _raw_texts(part: memoryview, count: int, where: str) -> NDArray[Any]:
    """Each text has its length in front, four bytes."""
    texts, at = [], 0
    while at + 4 <= len(part):
        end = at + 4 + int.from_bytes(part[at : at + 4], "little")
        texts.append(bytes(part[at + 4 : end]))
        at = end
    if at != len(part) or len(texts) != count:
        raise ContractBroken(where, f"holds {len(texts)} texts, or is cut short", f"{count}, each with its length")
    found = np.empty(count, np.object_)
    found[:] = texts
    return found


def read_tensor(tensor: TensorIn) -> NDArray[Any]:
    """One array from JSON; raises ContractBroken."""
    where = f"inputs.{tensor.name}"
    dtype = _dtype(where, tensor.datatype, tensor.shape)
    if tensor.data is None:
        raise ContractBroken(f"{where}.data", "missing", "numbers, flat or nested as the shape is")
    flat = _flat(tensor.data, tensor.shape, f"{where}.data")
    _check_types(flat, dtype, f"{where}.data", tensor.datatype)
    return _typed(flat, dtype, f"{where}.data", tensor.datatype).reshape(tensor.shape)


def _dtype(where: str, datatype: str, shape: Sequence[int]) -> np.dtype[Any]:
    dtype = DATATYPES.get(datatype)
    if dtype is None:
        raise ContractBroken(f"{where}.datatype", f"unknown: {datatype[:20]}", ", ".join(DATATYPES))
    if any(size < 0 for size in shape):
        raise ContractBroken(f"{where}.shape", f"is {list(shape)}", "sizes of 0 and more")
    return dtype


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
    flat = array.ravel()
    data = [_text(value) for value in flat] if array.dtype.kind == "O" else flat
    return {"name": name, "datatype": NAMES[array.dtype.char], "shape": list(array.shape), "data": data}


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value


def raw_bytes(array: NDArray[Any]) -> bytes:
    """An array as raw bytes."""
    if array.dtype.kind != "O":
        return array.tobytes()
    texts = [value.encode() if isinstance(value, str) else bytes(value) for value in array.ravel()]
    return b"".join(len(text).to_bytes(4, "little") + text for text in texts)


def write_request(request: PredictionRequest) -> bytes:
    """The body that asks another host."""
    body = {"id": str(request.id), "inputs": write_tensors(request.inputs), "parameters": dict(request.parameters)}
    return orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY)


def write_answer(prediction: Prediction, id: str | None = None, wanted: Sequence[str] = ()) -> bytes:
    """The answer to `infer` as JSON: the caller's id, and who answered among the parameters."""
    return orjson.dumps(
        _answer(prediction, id, write_tensors(prediction.outputs, wanted)), option=orjson.OPT_SERIALIZE_NUMPY
    )


def _answer(prediction: Prediction, id: str | None, outputs: list[dict[str, Any]]) -> dict[str, Any]:
    parameters: dict[str, Any] = {"served_by": prediction.served_by, "prediction_id": prediction.id}
    if prediction.reason:
        parameters["reason"] = prediction.reason
    return {
        "id": id or prediction.id,
        "model_name": prediction.model,
        "model_version": prediction.version,
        "parameters": parameters,
        "outputs": outputs,
    }


def write_binary_answer(
    prediction: Prediction, id: str | None, wanted: Sequence[str], binary: Binary
) -> tuple[bytes, int | None]:
    """The same with some outputs as raw bytes behind the JSON, and the length of that; None if there are none."""
    outputs: list[dict[str, Any]] = []
    tail: list[bytes] = []
    for name in wanted or prediction.outputs:
        written = _written(name, prediction.outputs[name])
        if binary(name):
            tail.append(raw_bytes(prediction.outputs[name]))
            del written["data"]
            written["parameters"] = {BINARY_SIZE: len(tail[-1])}
        outputs.append(written)
    head = orjson.dumps(_answer(prediction, id, outputs), option=orjson.OPT_SERIALIZE_NUMPY)
    return head + b"".join(tail), len(head) if tail else None


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
