"""The artefact is the same bytes for the same inputs, and notices whatever was changed in it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from models.contract import Manifest
from pipelines import artefact
from pipelines.artefact import BrokenArtefact
from tests.pipelines.conftest import write_toy


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_written_artefact_keeps_its_contract(folder: Path) -> None:
    manifest = artefact.verify(folder)
    assert [sample.raw for sample in manifest.samples] == ["sample-0.txt", "sample-1.txt"]
    answer = artefact.read_arrays(folder / "sample-1.outputs.npz")
    assert answer["double"].tolist() == [[8.0]]
    assert set(manifest.requires) == {"numpy", "onnxruntime"}
    assert "card.md" in manifest.files


def test_the_same_inputs_give_the_same_bytes(toy: Manifest, onnx_file: Path, tmp_path: Path) -> None:
    first = write_toy(tmp_path / "a", toy, onnx_file)
    second = write_toy(tmp_path / "b", toy, onnx_file)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert artefact.model_hash(first) == artefact.model_hash(second)


def test_the_hash_names_the_content_and_not_the_lineage(folder: Path) -> None:
    manifest = artefact.verify(folder)
    other = manifest.model_copy(update={"files": {**manifest.files, "card.md": "0"}})
    assert artefact.model_hash(other) != artefact.model_hash(manifest)
    assert artefact.model_hash(manifest.model_copy(update={"lineage": None})) == artefact.model_hash(manifest)


def other_card(folder: Path) -> None:
    (folder / "card.md").write_text("# Triples\n")


def lost_sample(folder: Path) -> None:
    (folder / "sample-0.txt").unlink()


def extra_file(folder: Path) -> None:
    (folder / "notes.txt").write_text("not in the manifest")


def no_manifest(folder: Path) -> None:
    (folder / "manifest.json").unlink()


def no_samples(folder: Path) -> None:
    rewrite(folder, samples=())


def wrong_default(folder: Path) -> None:
    rewrite(folder, default={"double": [0.0, 0.0]})


def wrong_answer(folder: Path) -> None:
    artefact.save(folder / "sample-0.outputs.npz", {"double": np.array([[3.0]], np.float32)})
    rewrite(folder, files=artefact.hashes(folder))


def wrong_features(folder: Path) -> None:
    artefact.save(folder / "sample-0.inputs.npz", {"length": np.array([[7.0]], np.float32)})
    rewrite(folder, files=artefact.hashes(folder))


def rewrite(folder: Path, **changes: object) -> None:
    artefact.write_manifest(folder, Manifest.read(folder).model_copy(update=changes))


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (other_card, "card.md"),
        (lost_sample, "sample-0.txt"),
        (extra_file, "notes.txt"),
        (no_manifest, "cannot be read"),
        (no_samples, "without samples"),
        (wrong_default, "default"),
        (wrong_answer, "sample-0.outputs.npz"),
        (wrong_features, "sample-0.inputs.npz"),
    ],
)
def test_a_broken_artefact_is_refused(folder: Path, damage: Callable[[Path], None], said: str) -> None:
    damage(folder)
    with pytest.raises(BrokenArtefact, match=said):
        artefact.verify(folder)


def test_an_output_that_was_not_promised_is_refused(folder: Path) -> None:
    spec = Manifest.read(folder).outputs[0].model_copy(update={"datatype": "INT64"})
    rewrite(folder, outputs=(spec,))
    with pytest.raises(BrokenArtefact, match="promises"):
        artefact.verify(folder)
