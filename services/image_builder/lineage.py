"""What an image says about its model: the way back to commit, data and people, as labels and annotations."""

import json
from collections.abc import Mapping
from typing import Any

from models.contract import Manifest, TensorSpec
from services.sources.mlflow_registry import Release

STANDARD = "org.opencontainers.image"


def labels(manifest: Manifest, release: Release, model_sha256: str) -> dict[str, str]:
    """Everything the manifest knows; values are text, or JSON where they have parts."""
    told = {
        f"{STANDARD}.title": manifest.title,
        f"{STANDARD}.version": release.version,
        "model.name": manifest.name,
        "model.version": release.version,
        "model.sha256": model_sha256,
        "model.manifest.sha256": release.manifest_sha256,
        "model.contract": _json(contract(manifest)),
        "model.runtime": _json(manifest.requires),
    }
    return told | _lineage(manifest)


def _lineage(manifest: Manifest) -> dict[str, str]:
    lineage = manifest.lineage
    if lineage is None:
        return {"model.lineage": "none"}
    return {
        f"{STANDARD}.revision": lineage.git_commit,
        f"{STANDARD}.authors": lineage.author,
        f"{STANDARD}.description": lineage.purpose,
        "model.git.commit": lineage.git_commit,
        "model.sources.sha256": lineage.sources_sha256,
        "model.dirty": str(lineage.dirty).lower(),
        "model.data.sha256": lineage.data_sha256,
        "model.parameters": _json(lineage.parameters),
        "model.metrics": _json(lineage.metrics),
        "model.versions": _json(lineage.versions),
        "model.author": lineage.author,
        "model.purpose": lineage.purpose,
        "model.approver": lineage.approver or "nobody",
        "model.trained": lineage.trained_at,
        "model.expires": lineage.expires_at,
    }


def contract(manifest: Manifest) -> dict[str, Any]:
    """Inputs and outputs, as far as a caller has to know them."""
    return {"inputs": [_tensor(it) for it in manifest.inputs], "outputs": [_tensor(it) for it in manifest.outputs]}


def _tensor(spec: TensorSpec) -> dict[str, Any]:
    return spec.model_dump(mode="json", exclude_none=True, exclude={"labels"})


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
