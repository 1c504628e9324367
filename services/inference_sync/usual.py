"""Reads the usual request in one go: JSON that names every input in the contract's order, flat, and nothing else.

Anything else is not refused here: `infer.py` looks closer, takes it, or says what is wrong with it.
"""

from array import array
from collections.abc import Callable
from typing import Annotated, Any, Literal

import msgspec
import numpy as np

from models.contract import DTYPES, Manifest, TensorSpec, check
from models.refusal import ContractBroken
from services.inference_sync.infer import Decoded

CODES = {"FP32": "f", "INT32": "i", "INT64": "q", "UINT8": "B"}
Reader = Callable[[bytes], Decoded | None]


def reader(manifest: Manifest, max_batch: int) -> Reader:
    """What reads the usual request to a model with this contract; it gives None for any other request."""
    if any(spec.datatype not in CODES for spec in manifest.inputs):
        return lambda body: None
    decode = msgspec.json.Decoder(_form(manifest)).decode
    plan = [(spec.name, CODES[spec.datatype], DTYPES[spec.datatype]) for spec in manifest.inputs]

    def read(body: bytes) -> Decoded | None:
        try:
            asked = decode(body)
            inputs = {}
            for (name, code, dtype), tensor in zip(plan, asked.inputs):  # noqa: B905 (the type says how many)
                shape = tensor.shape
                if not shape or min(shape) < 1 or shape[0] > max_batch:
                    return None
                inputs[name] = np.frombuffer(array(code, tensor.data), dtype).reshape(shape)
            check(manifest, inputs)
        except (ContractBroken, ValueError, OverflowError, RecursionError):
            return None
        return Decoded(inputs, asked.id, (), {})

    return read


def _form(manifest: Manifest) -> Any:
    """The type of the body."""
    inputs: Any = tuple.__class_getitem__(tuple(map(_tensor, manifest.inputs)))
    id: Any = Annotated[str, msgspec.Meta(max_length=200)] | None
    return msgspec.defstruct("Asked", [("inputs", inputs), ("id", id, None)], gc=False, forbid_unknown_fields=True)


def _tensor(spec: TensorSpec) -> Any:
    values = list[float] if spec.datatype == "FP32" else list[int]
    fields = [("name", Literal[spec.name]), ("datatype", Literal[spec.datatype]), ("shape", list[int])]
    return msgspec.defstruct("Tensor", [*fields, ("data", values)], gc=False, forbid_unknown_fields=True)
