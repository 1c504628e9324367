"""One version of a model in memory, opened only after it has been held against its manifest and its samples."""

import hashlib
import time
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from models.contract import Arrays, Manifest, Sample, TensorSpec, check, fits_default
from models.refusal import ContractBroken

ONNX_TYPES = {
    "UINT8": "tensor(uint8)",
    "INT32": "tensor(int32)",
    "INT64": "tensor(int64)",
    "FP32": "tensor(float)",
    "BYTES": "tensor(string)",
}

SLICE_BYTES = 1 << 19
QUICK_SECONDS = 0.0003
"""A run below this may hold up the event loop: a thread costs as much."""
RUNS = 20


class Features(Protocol):
    """What `models/NAME/features.py` has."""

    def encode(self, raw: bytes) -> Arrays:
        """The tensors of one picture file or UTF-8 text."""
        ...

    def answer(self, manifest: Manifest, outputs: Arrays) -> dict[str, Any]:
        """The meaning of the first row, ready for JSON."""
        ...


class Unfit(Exception):
    """This version must not serve here; `reason` is one word for the metric."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason


class OnnxModel:
    """A session and the contract it keeps."""

    def __init__(self, manifest: Manifest, session: Any) -> None:
        self.manifest = manifest
        self.row_seconds = float("inf")
        """How long one row takes here, as `measure` found."""
        # ONNX Runtime's own, if there is one inside: without the wrapper that looks at every name once more.
        self._run = getattr(session, "_sess", session).run
        self._options = run_options()
        self._outputs = [spec.name for spec in manifest.outputs]

    def run(self, inputs: Arrays) -> dict[str, NDArray[Any]]:
        """Answer; blocks the thread it runs in, not the interpreter.

        A large batch runs in slices: memory once taken for it would never be given back.
        """
        if sum([array.nbytes for array in inputs.values()]) <= SLICE_BYTES:
            return dict(zip(self._outputs, self._run(self._outputs, inputs, self._options), strict=True))
        slices = [self._run(self._outputs, part, self._options) for part in sliced(inputs)]
        columns = [np.concatenate(column) for column in zip(*slices, strict=True)]
        return dict(zip(self._outputs, columns, strict=True))

    def measure(self, inputs: Arrays) -> None:
        """Note the quickest of some runs of one row; the others were disturbed."""
        for _ in range(RUNS):
            started = time.perf_counter()
            self.run(inputs)
            self.row_seconds = min(self.row_seconds, time.perf_counter() - started)
            if self.row_seconds > 10 * QUICK_SECONDS:
                return

    def is_quick(self, rows: int) -> bool:
        """Whether handing it to a thread would take longer than to run it."""
        return rows * self.row_seconds < QUICK_SECONDS


def sliced(inputs: Arrays) -> list[dict[str, NDArray[Any]]]:
    """The batch in parts of at most SLICE_BYTES, one row at least."""
    rows = next(iter(inputs.values())).shape[0]
    size = sum(array.nbytes for array in inputs.values())
    step = max(1, rows * SLICE_BYTES // max(size, 1))
    return [{name: array[at : at + step] for name, array in inputs.items()} for at in range(0, rows, step)]


def open_model(folder: Path, declared: Manifest, features: Features, threads: int) -> OnnxModel:
    """The model of an artefact folder, verified in every respect; raises Unfit."""
    manifest = read_manifest(folder)
    check_files(folder, manifest)
    check_libraries(manifest)
    check_declared(manifest, declared)
    session = open_session(folder / "model.onnx", threads)
    check_tensors(manifest.inputs, session.get_inputs())
    check_tensors(manifest.outputs, session.get_outputs())
    model = OnnxModel(manifest, session)
    try_samples(folder, model, features)
    return model


def read_manifest(folder: Path) -> Manifest:
    """The contract that came with the version."""
    try:
        return Manifest.read(folder)
    except (OSError, ValueError) as error:
        raise Unfit("manifest", f"cannot be read: {error}") from error


def check_files(folder: Path, manifest: Manifest) -> None:
    """Every file is what it was when the model was made."""
    for name, expected in {"model.onnx": "", **manifest.files}.items():
        path = folder / name
        if path.parent != folder or not path.is_file():
            raise Unfit("files", f"{name} is missing")
        if sha256(path) != expected:
            raise Unfit("files", f"{name} is not the file that the manifest names")


def sha256(path: Path) -> str:
    """The hash of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_libraries(manifest: Manifest) -> None:
    """What features and runtime need is here, in the same major.minor."""
    for name, wanted in manifest.requires.items():
        check_library(name, wanted, _installed(name))


def check_library(name: str, wanted: str, here: str | None) -> None:
    """One library: what a model was made with against what there is."""
    if here is None:
        raise Unfit("libraries", f"needs {name} {wanted}, not installed here")
    if here.split(".")[:2] != wanted.split(".")[:2]:
        raise Unfit("libraries", f"needs {name} {wanted}, here is {here}")


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def check_declared(manifest: Manifest, declared: Manifest) -> None:
    """The version keeps what this code expects: the same inputs; outputs of the same names and types."""
    if manifest.name != declared.name:
        raise Unfit("contract", f"it is {manifest.name}, not {declared.name}")
    theirs, ours = _shapes(manifest.inputs), _shapes(declared.inputs)
    if theirs != ours:
        raise Unfit("contract", f"takes {theirs}, this host makes {ours}")
    answers = {spec.name: spec.datatype for spec in manifest.outputs}
    wanted = {spec.name: spec.datatype for spec in declared.outputs}
    if answers != wanted:
        raise Unfit("contract", f"answers {answers}, this host needs {wanted}")
    defaults = manifest.default
    if defaults.keys() != answers.keys() or not all(fits_default(s, defaults[s.name]) for s in manifest.outputs):
        raise Unfit(
            "contract", f"its default answer has { ({n: np.shape(row) for n, row in defaults.items()}) } values"
        )


def open_session(path: Path, threads: int) -> Any:
    """An ONNX Runtime session with pinned threads that grows its memory by what is needed and no more."""
    # Imported where it is needed: the image builder reads manifests and runs nothing.
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    providers = [("CPUExecutionProvider", {"arena_extend_strategy": "kSameAsRequested"})]
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=providers)
    except Exception as error:  # ONNX Runtime has no exception class of its own
        raise Unfit("onnx", f"cannot be opened: {error}") from error


def run_options() -> Any:
    """The usual ones, made once: without any, every run makes its own."""
    import onnxruntime

    return onnxruntime.RunOptions()


def check_tensors(specs: Sequence[TensorSpec], found: Sequence[Any]) -> None:
    """The ONNX file takes and gives what the manifest says."""
    if {spec.name for spec in specs} != {tensor.name for tensor in found}:
        raise Unfit("onnx", f"has {[t.name for t in found]}, the manifest says {[s.name for s in specs]}")
    tensors = {tensor.name: tensor for tensor in found}
    for spec in specs:
        tensor = tensors[spec.name]
        if tensor.type != ONNX_TYPES[spec.datatype] or not _same_shape(spec.shape, tensor.shape):
            raise Unfit("onnx", f"{spec.name} is {tensor.type} {tensor.shape}, the manifest says {spec.shape}")


def try_samples(folder: Path, model: OnnxModel, features: Features) -> None:
    """The version answers here as it did where it was made."""
    if not model.manifest.samples:
        raise Unfit("samples", "it has none")
    for sample in model.manifest.samples:
        try:
            try_sample(folder, model, features, sample)
        except Unfit:
            raise
        except Exception as error:  # whatever a sample breaks, a request would break too
            raise Unfit("samples", f"{sample.raw}: {error!r}") from error


def try_sample(folder: Path, model: OnnxModel, features: Features, sample: Sample) -> None:
    """Raw to features, features to answer."""
    inputs = features.encode((folder / sample.raw).read_bytes())
    try:
        check(model.manifest, inputs)
    except ContractBroken as error:
        raise Unfit("samples", f"{sample.raw}: {error}") from error
    _close(sample.inputs, _arrays(folder / sample.inputs), inputs, model.manifest.tolerance)
    _close(sample.outputs, _arrays(folder / sample.outputs), model.run(inputs), model.manifest.tolerance)
    model.measure(inputs)


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    with np.load(path, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def _close(name: str, expected: Arrays, actual: Arrays, tolerance: float) -> None:
    if expected.keys() != actual.keys():
        raise Unfit("samples", f"{name} has {sorted(expected)}, here it is {sorted(actual)}")
    for key, array in expected.items():
        if array.shape != actual[key].shape or not np.allclose(array, actual[key], rtol=0, atol=tolerance):
            raise Unfit("samples", f"{name}: {key} is different here")


def _shapes(specs: Sequence[TensorSpec]) -> dict[str, str]:
    return {spec.name: f"{spec.datatype}{list(spec.shape)}" for spec in specs}


def _same_shape(wanted: Sequence[int], found: Sequence[int | str | None]) -> bool:
    """A dimension is free on both sides or the same on both; a free one in ONNX may be fixed by the contract."""
    return len(wanted) == len(found) and all(
        there == here or not isinstance(there, int) for here, there in zip(wanted, found, strict=True)
    )
