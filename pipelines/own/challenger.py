"""Registers what was learnt from somebody's data as a version that serves nobody until it is promoted."""

import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from models.contract import Lineage, Manifest
from pipelines import artefact, lineage
from pipelines.parameters import load, read_yaml
from pipelines.register import MAKERS, Params, checked, create, known_version, read_metrics

PARAMS = Path("pipelines/own/params.yaml")
OWN = "own"
SHORT = 12


def alias(data_sha256: str) -> str:
    """What the version is called: the data it learnt from."""
    return f"data-{data_sha256[:SHORT]}"


def register(name: str, folder: Path, data: str, data_sha256: str, uri: str, workspace: Path = Path()) -> str:
    """The version; made now unless it is there. The champion stays who it is, also where there is none."""
    from mlflow import MlflowClient

    manifest = with_lineage(checked(workspace, name, folder), folder, data, data_sha256, workspace)
    client = MlflowClient(uri)
    version = known_version(client, manifest) or create(client, manifest, folder)
    client.set_registered_model_alias(name, alias(data_sha256), version)
    return version


def with_lineage(manifest: Manifest, folder: Path, data: str, data_sha256: str, workspace: Path) -> Manifest:
    """The manifest with where it comes from."""
    said, root = load(Params, workspace / PARAMS, "register"), lineage.repository()
    state = lineage.revision(root, OWN, workspace)
    made = datetime.fromtimestamp((folder / artefact.ONNX).stat().st_mtime, UTC)
    parameters: dict[str, Any] = {**read_yaml(workspace / PARAMS), "data": data}
    origin = Lineage(
        git_commit=state.commit,
        sources_sha256=lineage.sources_hash(workspace, OWN),
        dirty=state.dirty,
        data_sha256=data_sha256,
        parameters=parameters,
        metrics=read_metrics(folder),
        versions={"python": sys.version.split()[0], **lineage.installed(MAKERS)},
        author=os.environ.get("MODEL_AUTHOR") or lineage.author(root),
        purpose=f"{said.purpose}: {data}",
        trained_at=made.isoformat(timespec="seconds"),
        expires_at=(made + timedelta(days=said.expires_days)).isoformat(timespec="seconds"),
    )
    return manifest.model_copy(update={"lineage": origin})
