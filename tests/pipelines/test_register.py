"""Registering: once for each model, with its lineage, and not for what must not become a version."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from models.contract import Lineage, Manifest
from pipelines import artefact, lineage, register
from pipelines.register import Refused
from tests.mlflow_server import mlflow
from tests.pipelines.conftest import write_toy

LOCK = "stages: {{train: {{deps: [{{path: data/toy.csv, md5: {}}}]}}}}"
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


@pytest.fixture(scope="module")
def server(migrated: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with mlflow(migrated, tmp_path_factory.mktemp("mlflow")) as address:
        yield address


def complete(manifest: Manifest, dirty: bool = False, **metrics: float) -> Manifest:
    origin = Lineage(
        git_commit="0123abcd",
        sources_sha256="s",
        dirty=dirty,
        data_sha256="d",
        parameters={"train": {"c": 4.0}},
        metrics=metrics or {"accuracy": 0.5},
        versions={"python": "3"},
        author="Ayaka",
        purpose="to double",
        trained_at="2026-01-01T00:00:00+00:00",
        expires_at="2026-07-01T00:00:00+00:00",
    )
    return manifest.model_copy(update={"lineage": origin})


def champion(server: str, name: str) -> dict[str, Any]:
    where = {"name": name, "alias": "champion"}
    answer = httpx.get(f"{server}/api/2.0/mlflow/registered-models/alias", params=where).raise_for_status()
    version: dict[str, Any] = answer.json()["model_version"]
    return version | {"tags": {tag["key"]: tag["value"] for tag in version["tags"]}}


def fetched(server: str, version: dict[str, Any], file: str) -> bytes:
    where = {"name": version["name"], "version": version["version"]}
    uri = httpx.get(f"{server}/api/2.0/mlflow/model-versions/get-download-uri", params=where).json()["artifact_uri"]
    root = uri.removeprefix("mlflow-artifacts:/").lstrip("/")
    return httpx.get(f"{server}/api/2.0/mlflow-artifacts/artifacts/{root}/{file}").raise_for_status().content


def test_a_model_is_registered_once_and_the_first_is_champion(
    server: str, toy: Manifest, folder: Path, onnx_file: Path
) -> None:
    first = complete(artefact.verify(folder))
    assert register.register(first, folder, server) == "1"
    assert register.register(first, folder, server) == "1"

    better = complete(write_toy(folder, toy.model_copy(update={"title": "Doubles, and well"}), onnx_file))
    assert register.register(better, folder, server) == "2"
    assert champion(server, "toy")["version"] == "1"


def test_a_version_carries_its_lineage_and_the_whole_artefact(server: str, toy: Manifest, onnx_file: Path) -> None:
    folder = onnx_file.parent / "model"
    manifest = complete(write_toy(folder, toy, onnx_file), dirty=True).model_copy(update={"name": "carried"})
    register.register(manifest, folder, server)
    version = champion(server, "carried")
    tags = version["tags"]
    assert (tags["dirty"], tags["author"], tags["git_commit"]) == ("true", "Ayaka", "0123abcd")
    assert tags["model_sha256"] == artefact.model_hash(manifest)
    sent = fetched(server, version, "manifest.json")
    assert hashlib.sha256(sent).hexdigest() == tags["manifest_sha256"]
    assert json.loads(sent)["lineage"]["parameters"] == {"train": {"c": 4.0}}
    for name, expected in manifest.files.items():
        assert hashlib.sha256(fetched(server, version, name)).hexdigest() == expected


def test_a_dirty_version_does_not_stand_for_a_clean_one(server: str, toy: Manifest, onnx_file: Path) -> None:
    folder = onnx_file.parent / "model"
    manifest = write_toy(folder, toy, onnx_file).model_copy(update={"name": "cleaned"})
    assert register.register(complete(manifest, dirty=True), folder, server) == "1"
    assert register.register(complete(manifest, dirty=True), folder, server) == "1"
    assert register.register(complete(manifest, dirty=False), folder, server) == "2"
    assert register.register(complete(manifest, dirty=False), folder, server) == "2"
    assert register.register(complete(manifest, dirty=True), folder, server) in ("1", "2")


def test_a_score_too_good_to_be_true_is_marked(folder: Path) -> None:
    manifest = artefact.verify(folder)
    assert "leakage_warning" not in register.version_tags(complete(manifest, test_accuracy=0.99, loss=1.0))
    tags = register.version_tags(complete(manifest, test_accuracy=1.0, gold_auc=0.97))
    assert tags["leakage_warning"] == "too good to be true: test_accuracy=1.00000"


@pytest.fixture
def workspace(folder: Path) -> Path:
    """Everything `register` looks at, in order."""
    root = folder.parents[2]
    pins = "".join(f"{name}=={version}\n" for name, version in artefact.verify(folder).requires.items())
    data = root / "data" / "toy.csv"
    data.write_text("a,b\n")
    files = {
        "requirements/services.txt": pins,
        "pipelines/toy/params.yaml": "register: {purpose: to double, expires_days: 90}\n",
        "pipelines/toy/dvc.lock": LOCK.format(lineage.md5(data.read_bytes())),
    }
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root


def test_the_lineage_says_where_it_comes_from(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DIR", str(workspace))
    origin = register.with_lineage(register.checked(workspace, "toy"), workspace, "toy").lineage
    assert origin
    assert origin.dirty  # no repository: nothing is proven
    assert origin.metrics == {"accuracy": 0.5}
    assert origin.purpose == "to double"
    assert origin.versions["numpy"]
    assert origin.trained_at < origin.expires_at


def test_libraries_that_no_lock_file_pins_are_refused(workspace: Path) -> None:
    (workspace / "requirements" / "services.txt").write_text("numpy==0.1\n")
    with pytest.raises(Refused, match="onnxruntime=="):
        register.checked(workspace, "toy")


def test_dirty_sources_are_refused_where_they_are_not_allowed(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DIR", str(workspace))
    monkeypatch.setenv("ALLOW_DIRTY", "false")
    with pytest.raises(Refused, match="ALLOW_DIRTY"):
        register.with_lineage(register.checked(workspace, "toy"), workspace, "toy")


def test_another_models_artefact_is_refused(workspace: Path) -> None:
    (workspace / "data" / "toy").rename(workspace / "data" / "tiger")
    with pytest.raises(Refused, match="of toy, not of tiger"):
        register.checked(workspace, "tiger")
