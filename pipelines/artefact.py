"""The artefact of a model: the folder `model/` that is registered, fetched and served.

`write` makes it, `verify` holds it against its own contract, `model_hash` names it. The same inputs
give the same bytes: no time, no commit and no measured duration is in it (the lineage, added when
it is registered, is not part of the hash).
"""

import hashlib
import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.contract import DTYPES, Arrays, Manifest, Sample, check, fits, fits_default
from models.refusal import ContractBroken

MANIFEST = "manifest.json"
ONNX = "model.onnx"


class BrokenArtefact(ValueError):
    """The model's folder does not keep what its manifest promises."""


def write(
    folder: Path,
    manifest: Manifest,
    onnx_path: Path,
    raws: Sequence[bytes],
    metrics: Mapping[str, float],
    reference: Mapping[str, Any],
    card_text: str,
    pictures: Mapping[str, Path],
    libraries: Iterable[str] = (),
    suffix: str = ".jpg",
) -> Manifest:
    """Fill `folder` from the contract of the model and what its pipeline made; returns its manifest.

    `raws` become the samples, `suffix` says what they are; `libraries` are those that the model's
    features need besides numpy; `pictures` are files to keep beside the card, by name.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copyfile(onnx_path, folder / ONNX)
    (folder / "card.md").write_text(card_text, "utf-8")
    (folder / "metrics.json").write_text(canonical(dict(metrics)), "utf-8")
    for name, path in pictures.items():
        shutil.copyfile(path, folder / name)
    samples = write_samples(folder, manifest.name, raws, suffix)
    manifest = manifest.model_copy(
        update={
            "requires": {name: version(name) for name in sorted({"numpy", "onnxruntime", *libraries})},
            "samples": samples,
            "reference": dict(reference),
            "files": hashes(folder),
            "lineage": None,
        }
    )
    write_manifest(folder, manifest)
    return manifest


def write_samples(folder: Path, name: str, raws: Sequence[bytes], suffix: str) -> tuple[Sample, ...]:
    """Each raw example with the features and the answer that every host must reproduce."""
    samples = []
    for number, raw in enumerate(raws):
        stem = f"sample-{number}"
        sample = Sample(raw=stem + suffix, inputs=f"{stem}.inputs.npz", outputs=f"{stem}.outputs.npz")
        inputs = encode(name, raw)
        (folder / sample.raw).write_bytes(raw)
        save(folder / sample.inputs, inputs)
        save(folder / sample.outputs, run(folder / ONNX, inputs))
        samples.append(sample)
    return tuple(samples)


def encode(name: str, raw: bytes) -> dict[str, NDArray[Any]]:
    """The served features of one raw example."""
    encoded: dict[str, NDArray[Any]] = import_module(f"models.{name}.features").encode(raw)
    return encoded


def run(onnx_path: Path, inputs: Arrays) -> dict[str, NDArray[Any]]:
    """The answer of the file that will be served, on one thread so that it is always the same."""
    session = open_session(onnx_path)
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, dict(inputs)), strict=True))


def open_session(onnx_path: Path) -> Any:
    """An ONNX Runtime session as the hosts open it: one thread, CPU."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(onnx_path), options, providers=["CPUExecutionProvider"])


def save(path: Path, arrays: Arrays) -> None:
    """An .npz file; numpy writes no time into it."""
    np.savez_compressed(path, **dict(arrays))  # type: ignore[arg-type]


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """An .npz file, without pickles."""
    with np.load(path, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def hashes(folder: Path) -> dict[str, str]:
    """sha256 of every file but the manifest, by name."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.iterdir())
        if path.name != MANIFEST
    }


def canonical(content: Any) -> str:
    """JSON with one possible text."""
    return json.dumps(content, ensure_ascii=False, sort_keys=True, indent=1) + "\n"


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """The manifest, in its canonical text."""
    (folder / MANIFEST).write_text(canonical(manifest.model_dump(mode="json")), "utf-8")


def model_hash(manifest: Manifest) -> str:
    """The name of what is served: of the manifest without lineage, which names all other files."""
    content = manifest.model_dump(mode="json", exclude={"lineage"})
    return hashlib.sha256(canonical(content).encode()).hexdigest()


def verify(folder: Path) -> Manifest:
    """The manifest of a whole, unbroken artefact; raises BrokenArtefact saying what is wrong."""
    try:
        manifest = Manifest.read(folder)
    except (OSError, ValueError) as error:
        raise BrokenArtefact(f"{folder}/{MANIFEST} cannot be read: {error}") from error
    verify_files(folder, manifest)
    verify_default(manifest)
    if not manifest.samples:
        raise BrokenArtefact("a contract without samples cannot be tried")
    for sample in manifest.samples:
        verify_sample(folder, manifest, sample)
    return manifest


def verify_files(folder: Path, manifest: Manifest) -> None:
    """Every file is there, as it was written, and nothing besides."""
    actual = hashes(folder)
    if ONNX not in actual:
        raise BrokenArtefact(f"{ONNX} is missing")
    different = {name for name in actual.keys() | manifest.files.keys() if actual.get(name) != manifest.files.get(name)}
    if different:
        raise BrokenArtefact(f"differ from the manifest: {', '.join(sorted(different))}")


def verify_default(manifest: Manifest) -> None:
    """The declared default has one row for each output, of the shape of the output."""
    wanted = {spec.name: spec.shape[1:] for spec in manifest.outputs}
    given = {name: np.shape(row) for name, row in manifest.default.items()}
    if wanted.keys() != given.keys() or not all(
        fits_default(spec, manifest.default[spec.name]) for spec in manifest.outputs
    ):
        raise BrokenArtefact(f"the default answer has {given}, the outputs are {wanted}")


def verify_sample(folder: Path, manifest: Manifest, sample: Sample) -> None:
    """Features and answer of the sample are today what the artefact says they are."""
    inputs = encode(manifest.name, (folder / sample.raw).read_bytes())
    try:
        check(manifest, inputs)
    except ContractBroken as error:
        raise BrokenArtefact(f"{sample.raw}: {error}") from error
    same(sample.inputs, read_arrays(folder / sample.inputs), inputs, manifest.tolerance)
    outputs = run(folder / ONNX, inputs)
    verify_outputs(manifest, outputs)
    same(sample.outputs, read_arrays(folder / sample.outputs), outputs, manifest.tolerance)


def verify_outputs(manifest: Manifest, outputs: Arrays) -> None:
    """The ONNX gives exactly the outputs of the contract."""
    wanted = {spec.name: (DTYPES[spec.datatype], spec.shape[1:]) for spec in manifest.outputs}
    given = {name: (array.dtype, array.shape[1:]) for name, array in outputs.items()}
    if wanted.keys() != given.keys() or not all(
        outputs[spec.name].dtype == DTYPES[spec.datatype] and fits(spec, outputs[spec.name].shape)
        for spec in manifest.outputs
    ):
        raise BrokenArtefact(f"the ONNX answers {given}, the contract promises {wanted}")


def same(name: str, expected: Arrays, actual: Arrays, tolerance: float) -> None:
    """Two sets of arrays are equal within the tolerance."""
    if expected.keys() != actual.keys():
        raise BrokenArtefact(f"{name} has {sorted(expected)}, computed were {sorted(actual)}")
    for key, array in expected.items():
        if array.shape != actual[key].shape or not np.allclose(array, actual[key], rtol=0, atol=tolerance):
            raise BrokenArtefact(f"{name}: {key} differs from what is computed now")
