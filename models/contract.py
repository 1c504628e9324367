"""What a model promises: its inputs and outputs, their meaning, its samples and where it comes from.

The manifest is written when a model is made and travels with its ONNX file. Hosts enforce it
before a model runs (`check`) and try the samples before a model serves (`services/sources`).
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from math import inf, isfinite
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

from models.refusal import ContractBroken

Arrays = Mapping[str, NDArray[Any]]
Datatype = Literal["UINT8", "INT32", "INT64", "FP32", "BYTES"]
"""Names of the Open Inference Protocol."""

DTYPES: dict[str, np.dtype[Any]] = {
    "UINT8": np.dtype(np.uint8),
    "INT32": np.dtype(np.int32),
    "INT64": np.dtype(np.int64),
    "FP32": np.dtype(np.float32),
    "BYTES": np.dtype(np.object_),
}


FEW = 32
"""So many values are looked at sooner in Python than numpy gets ready to."""


class Frozen(BaseModel):
    """A part of the manifest: immutable, and nothing in it is ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


class TensorSpec(Frozen):
    """One input or output: what it is called, what it holds, what it means."""

    name: str
    datatype: Datatype
    shape: tuple[int, ...] = Field(description="-1 is a free dimension; the first is the batch.")
    meaning: str
    minimum: float | None = Field(None, description="Smallest allowed value, inclusive.")
    maximum: float | None = Field(None, description="Largest allowed value, inclusive.")
    labels: tuple[str, ...] | None = Field(None, description="What each entry of the last axis stands for.")
    colour_space: str | None = None
    language: tuple[str, ...] | None = None
    most: int | None = Field(None, description="Largest size of a free dimension besides the batch.")

    @model_serializer(mode="wrap")
    def _without_what_is_not_said(self, usual: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """A tensor without free dimensions is written as it always was, so that its model keeps its hash."""
        told: dict[str, Any] = usual(self)
        return told if self.most is not None else {name: value for name, value in told.items() if name != "most"}

    @cached_property
    def bounds(self) -> tuple[float, float]:
        """Smallest and largest allowed value; infinity where there is none."""
        least = -inf if self.minimum is None else self.minimum
        return least, inf if self.maximum is None else self.maximum


class Sample(Frozen):
    """One example with its expected answer, tried by every host before the model serves.

    `raw` is a file beside the manifest (a picture, or UTF-8 text) that `features.encode` takes;
    `inputs` and `outputs` are .npz files holding the expected features and the expected answer.
    """

    raw: str
    inputs: str
    outputs: str


class Lineage(Frozen):
    """Where a version comes from, so that it can be walked back to its data and made again."""

    git_commit: str
    sources_sha256: str = Field(description="Of the model's source files and parameters.")
    dirty: bool = Field(description="The sources differed from the commit.")
    data_sha256: str = Field(description="Of the tracked data the last training read.")
    parameters: dict[str, Any]
    metrics: dict[str, float]
    versions: dict[str, str] = Field(description="Libraries that made the model.")
    author: str
    purpose: str
    approver: str | None = None
    trained_at: str = Field(description="ISO 8601, UTC. Not part of the model hash.")
    expires_at: str = Field(description="ISO 8601, UTC. When somebody has to look at it again.")


class Manifest(Frozen):
    """`manifest.json`: the contract of one model version."""

    name: str
    title: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    thresholds: dict[str, float] = Field(
        default_factory=dict,
        description="Decisions from scores, chosen on validation data on a stated cost.",
    )
    default: dict[str, list[Any]] = Field(description="The declared default answer: one row for each output.")
    requires: dict[str, str] = Field(description="Exact versions of the libraries that features and runtime need.")
    files: dict[str, str] = Field(description="sha256 of each other file of the artefact.")
    samples: tuple[Sample, ...] = ()
    tolerance: float = Field(1e-4, description="Largest absolute difference allowed on a sample.")
    reference: dict[str, Any] = Field(
        default_factory=dict, description="Statistics of inputs and outputs on validation data."
    )
    lineage: Lineage | None = None

    @classmethod
    def read(cls, folder: Path) -> "Manifest":
        """Read `manifest.json` of an artefact folder."""
        return cls.model_validate_json((folder / "manifest.json").read_bytes())

    def output(self, name: str) -> TensorSpec:
        """The output of that name."""
        return next(spec for spec in self.outputs if spec.name == name)


def check(manifest: Manifest, arrays: Arrays) -> None:
    """Hold a request against the contract; raises ContractBroken naming what, where and what is allowed.

    Checked: names, dtype (no silent casts: float16 is not float32), rank and fixed dimensions, one
    batch size for all inputs, no NaN or infinity, the valid range.
    """
    batch = None
    for spec in manifest.inputs:
        array = arrays.get(spec.name)
        if array is None:
            _unknown(manifest, arrays)
            raise ContractBroken(f"inputs.{spec.name}", "missing", "exactly one tensor of that name")
        check_tensor(spec, array)
        batch = batch or array.shape[0]
        if array.shape[0] != batch:
            sizes = sorted({batch, array.shape[0]})
            raise ContractBroken("inputs", f"batch sizes differ: {sizes}", "one batch size for all inputs")
    if len(arrays) != len(manifest.inputs):
        _unknown(manifest, arrays)


def _unknown(manifest: Manifest, arrays: Arrays) -> None:
    wanted = {spec.name for spec in manifest.inputs}
    for name in arrays.keys() - wanted:
        raise ContractBroken(f"inputs.{name}", "unknown input", ", ".join(sorted(wanted)))


def check_tensor(spec: TensorSpec, array: NDArray[Any]) -> None:
    """Hold one tensor against its spec."""
    dtype = array.dtype
    if dtype != DTYPES[spec.datatype]:
        raise _broken(spec, "datatype", f"is {dtype}", f"{spec.datatype} ({DTYPES[spec.datatype]})")
    if not fits(spec, array.shape):
        raise _broken(spec, "shape", f"is {list(array.shape)}", allowed_shape(spec))
    size = array.size
    if dtype.kind not in "fiu" or size == 0:
        return
    if size <= FEW:
        values = array.ravel().tolist()
        least, most, finite = min(values), max(values), isfinite(sum(values))
    else:  # where there is a NaN or an infinity, the least or the most is one
        least, most = np.minimum.reduce(array, axis=None), np.maximum.reduce(array, axis=None)
        finite = isfinite(least) and isfinite(most)
    if not finite:
        raise _broken(spec, "data", "holds NaN or infinity", "finite numbers")
    minimum, maximum = spec.bounds
    if least < minimum:
        raise _broken(spec, "data", f"smallest value is {least}", f"at least {spec.minimum}")
    if most > maximum:
        raise _broken(spec, "data", f"largest value is {most}", f"at most {spec.maximum}")


def _broken(spec: TensorSpec, part: str, what: str, allowed: str) -> ContractBroken:
    return ContractBroken(f"inputs.{spec.name}.{part}", what, allowed)


def fits(spec: TensorSpec, shape: Sequence[int]) -> bool:
    """Whether a tensor of that shape holds at least one row of what the contract says."""
    promised = spec.shape
    if len(shape) != len(promised) or shape[0] < 1:
        return False
    for wanted, given in zip(promised, shape):  # noqa: B905 (`strict` takes twice as long)
        if wanted not in (-1, given) or given < 0:
            return False
    return spec.most is None or all(1 <= given <= spec.most for given in shape[1:])


def allowed_shape(spec: TensorSpec) -> str:
    """What a caller may send, in words."""
    free = "at least 1" if spec.most is None else f"at least 1 and, but for the first, at most {spec.most}"
    return f"{list(spec.shape)}, -1 is {free}"


def fits_default(spec: TensorSpec, row: Any) -> bool:
    """Whether the declared default is one row of this output; a free dimension may have any size."""
    shape = np.shape(row)
    return len(shape) == len(spec.shape) - 1 and all(
        wanted in (-1, given) for wanted, given in zip(spec.shape[1:], shape, strict=True)
    )
