"""The documents of an image: config and manifest, from the base, one model layer and the labels."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from services.chassis.ports import PORTS
from services.image_builder import oci
from services.image_builder.base import Base
from services.image_builder.layers import Layer, model_layer
from services.sources.mlflow_registry import Release
from services.sources.model_in_image import RELEASE_FILE

BASE_REPOSITORY = "base/service"
USER = "10001:10001"
HOST = "inference-sync"
SECOND = 1_000_000_000
HEALTH = {
    "Test": ["CMD", "python", "-m", "services.chassis.health", HOST],
    "Interval": 10 * SECOND,
    "Timeout": 5 * SECOND,
    "StartPeriod": 60 * SECOND,
    "StartInterval": SECOND // 2,
    "Retries": 3,
}
"""Not of the OCI format, but what Docker writes there."""

Parts = tuple[list[oci.Blob], oci.Blob, oci.Blob]
"""Layers, config, manifest."""


def image(
    base: Base, base_folder: Path, release: Release, artefact: Path, place: Path, labels: Mapping[str, str]
) -> Parts:
    """The model on the base: its layer is written to `place`."""
    told = {"name": release.name, "version": release.version, "manifest_sha256": release.manifest_sha256}
    layer = model_layer(place, release.name, artefact, {RELEASE_FILE: json.dumps(told, sort_keys=True).encode()})
    blobs = [*_shared(base, base_folder), _blob(layer)]
    based = {**labels, "org.opencontainers.image.base.name": f"{BASE_REPOSITORY}:{base.id}"}
    config = _config(base, [layer.diff_id], based, {"MODEL_FOLDER": "/model"})
    return blobs, config, oci.image_manifest(config, blobs, based)


def image_of_base(base: Base, folder: Path) -> Parts:
    """The base by itself, to be pulled before any model is."""
    blobs = _shared(base, folder)
    config = _config(base, [], {"org.opencontainers.image.version": base.id}, {})
    return blobs, config, oci.image_manifest(config, blobs, {})


def artefact(files: Sequence[oci.Blob], labels: Mapping[str, str]) -> tuple[list[oci.Blob], oci.Blob]:
    """The model alone; what it needs to run stands in the annotations."""
    return [*files, oci.NOTHING], oci.artefact_manifest(files, labels)


def _shared(base: Base, folder: Path) -> list[oci.Blob]:
    return [oci.Blob(oci.LAYER, it.digest, it.size, path=folder / f"{it.name}.tar.zst") for it in base.layers]


def _blob(layer: Layer) -> oci.Blob:
    return oci.Blob(oci.LAYER, layer.digest, layer.size, path=layer.path)


def _config(base: Base, more: Sequence[str], labels: Mapping[str, str], environment: Mapping[str, str]) -> oci.Blob:
    """Written from nothing: only what is named here, and no time but the beginning of time."""
    variables = {**base.environment, **environment}
    names = [layer.name for layer in base.layers] + ["model"] * len(more)
    return oci.document(
        oci.CONFIG,
        {
            "created": oci.CREATED,
            "architecture": base.architecture,
            "os": "linux",
            "config": {
                "User": USER,
                "WorkingDir": "/app",
                "Env": [f"{name}={value}" for name, value in sorted(variables.items())],
                "Entrypoint": ["python", "-m", "services"],
                "Cmd": [HOST],
                "ExposedPorts": {f"{PORTS[HOST]}/tcp": {}},
                "Healthcheck": HEALTH,
                "Labels": dict(labels),
            },
            "rootfs": {"type": "layers", "diff_ids": [*(layer.diff_id for layer in base.layers), *more]},
            "history": [{"created": oci.CREATED, "created_by": name} for name in names],
        },
    )
