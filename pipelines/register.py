"""Register what a pipeline made in MLflow, with its whole lineage; the last stage of every pipeline.

    python -m pipelines.register NAME

Safe to repeat: a model that is registered already is left alone, so an emptied MLflow is filled
again without training. Refuses a broken contract, untracked data, libraries that no lock file pins,
and, with ALLOW_DIRTY=false, sources that differ from the commit. Of a pipeline that waits for data
nothing is registered, which is no failure (pipelines/waiting.py).
"""

import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from models.contract import Lineage, Manifest
from pipelines import artefact, lineage, waiting
from pipelines.parameters import load, read_yaml

ALIAS = "champion"
TOO_GOOD = 0.9999
MAKERS = ("torch", "scikit-learn", "skl2onnx", "onnx", "onnxscript", "onnxruntime", "numpy", "pillow")


class Refused(ValueError):
    """This must not become a version."""


@dataclass(frozen=True)
class Params:
    """Section `register` of params.yaml: what a person has to say about the model."""

    purpose: str
    expires_days: int  # after that somebody has to look at it again


def main() -> None:
    name = sys.argv[1]
    workspace = Path.cwd()
    if why := waiting.why(workspace / "data" / name / "model"):
        print(f"waiting model={name} why={why}")
        return
    manifest = checked(workspace, name)
    complete = with_lineage(manifest, workspace, name)
    uri = os.environ.get("MLFLOW_TRACKING_URI")
    if not uri:
        print(f"{name}: made and checked; not registered, MLFLOW_TRACKING_URI is not set")
        return
    version = register(complete, workspace / "data" / name / "model", uri)
    print(f"registered model={name} version={version} model_sha256={artefact.model_hash(manifest)}")


def checked(workspace: Path, name: str, folder: Path | None = None) -> Manifest:
    """The manifest of an artefact that may become a version."""
    manifest = artefact.verify(folder or workspace / "data" / name / "model")
    if manifest.name != name:
        raise Refused(f"the artefact is of {manifest.name}, not of {name}")
    pinned = lineage.pins(workspace)
    loose = [f"{n}=={v}" for n, v in manifest.requires.items() if pinned.get(n.lower()) != v]
    if loose or not manifest.requires:
        raise Refused(f"not pinned in requirements/*.txt: {', '.join(loose) or 'nothing is required'}")
    return manifest


def with_lineage(manifest: Manifest, workspace: Path, name: str) -> Manifest:
    """The manifest with where it comes from; refuses untracked data and, if told so, dirty sources."""
    root = lineage.repository()
    state = lineage.revision(root, name, workspace)
    if state.dirty and not allow_dirty():
        raise Refused(f"the sources of {name} differ from commit {state.commit} and ALLOW_DIRTY is false")
    parameters = workspace / "pipelines" / name / "params.yaml"
    said = load(Params, parameters, "register")
    made = datetime.fromtimestamp((workspace / "data" / name / "model" / artefact.ONNX).stat().st_mtime, UTC)
    origin = Lineage(
        git_commit=state.commit,
        sources_sha256=lineage.sources_hash(workspace, name),
        dirty=state.dirty,
        data_sha256=lineage.data_hash(workspace, name),
        parameters=read_yaml(parameters),
        metrics=read_metrics(workspace / "data" / name / "model"),
        versions={"python": sys.version.split()[0], **lineage.installed(MAKERS)},
        author=lineage.author(root),
        purpose=said.purpose,
        trained_at=made.isoformat(timespec="seconds"),
        expires_at=(made + timedelta(days=said.expires_days)).isoformat(timespec="seconds"),
    )
    return manifest.model_copy(update={"lineage": origin})


def allow_dirty() -> bool:
    """Whether versions from uncommitted sources are taken (marked), the default."""
    return os.environ.get("ALLOW_DIRTY", "true").lower() not in ("false", "0", "no")


def read_metrics(folder: Path) -> dict[str, float]:
    """The metrics that the evaluation put into the artefact."""
    return {key: float(value) for key, value in read_yaml(folder / "metrics.json").items()}


def register(manifest: Manifest, folder: Path, uri: str) -> str:
    """The number of the version of this model in MLflow, made now if it is not there."""
    from mlflow import MlflowClient

    client = MlflowClient(uri)
    version = known_version(client, manifest) or create(client, manifest, folder)
    if champion(client, manifest.name) is None:
        client.set_registered_model_alias(manifest.name, ALIAS, version)
    return version


def known_version(client: Any, manifest: Manifest) -> str | None:
    """The version with the same hash. A dirty one does not stand for one from committed sources."""
    assert manifest.lineage
    wanted = artefact.model_hash(manifest)
    for version in client.search_model_versions(f"name = '{manifest.name}'"):
        clean_enough = manifest.lineage.dirty or version.tags.get("dirty") == "false"
        if version.tags.get("model_sha256") == wanted and clean_enough:
            return str(version.version)
    return None


def create(client: Any, manifest: Manifest, folder: Path) -> str:
    """A run with parameters, metrics and the artefact, and a version that points at it."""
    assert manifest.lineage
    ensure_registered(client, manifest)
    experiment = ensure_experiment(client, manifest.name)
    tags = version_tags(manifest)
    run = client.create_run(experiment, run_name=manifest.name, tags=tags)
    for key, value in flattened(manifest.lineage.parameters).items():
        client.log_param(run.info.run_id, key, value)
    for key, value in manifest.lineage.metrics.items():
        client.log_metric(run.info.run_id, key, value)
    upload(client, run.info.run_id, manifest, folder)
    client.set_terminated(run.info.run_id)
    source = f"{run.info.artifact_uri}/model"
    version = client.create_model_version(manifest.name, source, run.info.run_id, tags=tags)
    return str(version.version)


def upload(client: Any, run_id: str, manifest: Manifest, folder: Path) -> None:
    """The artefact folder with the complete manifest, as `model/` of the run."""
    with tempfile.TemporaryDirectory() as temporary:
        copy = Path(temporary) / "model"
        shutil.copytree(folder, copy)
        (copy / artefact.MANIFEST).unlink()  # what DVC brings from its cache may not be written to
        artefact.write_manifest(copy, manifest)
        client.log_artifacts(run_id, str(copy), "model")


def version_tags(manifest: Manifest) -> dict[str, str]:
    """What a version can be found and judged by without fetching it."""
    assert manifest.lineage
    content = artefact.canonical(manifest.model_dump(mode="json"))
    tags = {
        "model_sha256": artefact.model_hash(manifest),
        "manifest_sha256": hashlib.sha256(content.encode()).hexdigest(),
        "dirty": str(manifest.lineage.dirty).lower(),
        "git_commit": manifest.lineage.git_commit,
        "sources_sha256": manifest.lineage.sources_sha256,
        "data_sha256": manifest.lineage.data_sha256,
        "author": manifest.lineage.author,
        "purpose": manifest.lineage.purpose,
        "expires_at": manifest.lineage.expires_at,
    }
    if suspicious := too_good(manifest.lineage.metrics):
        tags["leakage_warning"] = f"too good to be true: {suspicious}"
    return tags


def too_good(metrics: Mapping[str, float]) -> str:
    """Scores so good that the test set has probably leaked into the training, named."""
    scores = {key: value for key, value in metrics.items() if "accuracy" in key or "auc" in key}
    return ", ".join(f"{key}={value:.5f}" for key, value in sorted(scores.items()) if value > TOO_GOOD)


def flattened(parameters: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested parameters as MLflow has them: section.name."""
    flat: dict[str, Any] = {}
    for key, value in parameters.items():
        inner = flattened(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
        flat.update(inner)
    return flat


def champion(client: Any, name: str) -> str | None:
    """The version that the alias names, if it names one."""
    from mlflow.exceptions import MlflowException

    try:
        return str(client.get_model_version_by_alias(name, ALIAS).version)
    except MlflowException as error:
        if error.error_code in ("INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST"):
            return None
        raise


def ensure_registered(client: Any, manifest: Manifest) -> None:
    """The registered model, under the name of its folder."""
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(manifest.name, description=manifest.title)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def ensure_experiment(client: Any, name: str) -> str:
    """The id of the experiment that holds the runs of this model."""
    from mlflow.exceptions import MlflowException

    try:
        return str(client.create_experiment(name))
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
        return str(client.get_experiment_by_name(name).experiment_id)


if __name__ == "__main__":
    main()
