"""Documents of the OCI image format, written so that the same content is the same bytes."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+zstd"
EMPTY = "application/vnd.oci.empty.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
MODEL = "application/vnd.model.onnx.v1"
"""The type of the artefact that is a model alone."""

CREATED = "1970-01-01T00:00:00Z"
TITLE = "org.opencontainers.image.title"
FILE_TYPES = {".json": "application/json", ".md": "text/markdown", ".onnx": "application/vnd.model.onnx"}
OTHER_FILE = "application/octet-stream"

Json = dict[str, Any]


@dataclass(frozen=True)
class Blob:
    """Something stored under its digest: bytes in hand, or a file."""

    media_type: str
    digest: str
    size: int
    data: bytes = b""
    path: Path | None = None
    annotations: Mapping[str, str] = field(default_factory=dict)

    def descriptor(self) -> Json:
        """How a manifest refers to it."""
        told = {"mediaType": self.media_type, "digest": self.digest, "size": self.size}
        return told | ({"annotations": dict(self.annotations)} if self.annotations else {})


def canonical(document: Mapping[str, Any]) -> bytes:
    """One way to write JSON."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def document(media_type: str, content: Mapping[str, Any]) -> Blob:
    """A JSON document as a blob."""
    data = canonical(content)
    return Blob(media_type, digest_of(data), len(data), data)


def digest_of(data: bytes) -> str:
    """As OCI writes it."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def file_blob(path: Path) -> Blob:
    """One file of an artefact, under its own name."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    kind = FILE_TYPES.get(path.suffix, OTHER_FILE)
    return Blob(kind, f"sha256:{digest}", path.stat().st_size, path=path, annotations={TITLE: path.name})


def image_manifest(config: Blob, layers: Sequence[Blob], annotations: Mapping[str, str]) -> Blob:
    """What an image is made of."""
    return document(
        MANIFEST,
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": config.descriptor(),
            "layers": [layer.descriptor() for layer in layers],
            "annotations": dict(annotations),
        },
    )


def artefact_manifest(files: Sequence[Blob], annotations: Mapping[str, str]) -> Blob:
    """A model alone: one layer a file, and what it needs to run as annotations."""
    return document(
        MANIFEST,
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "artifactType": MODEL,
            "config": {**NOTHING.descriptor(), "data": "e30="},
            "layers": [file.descriptor() for file in files],
            "annotations": dict(annotations),
        },
    )


NOTHING = Blob(EMPTY, digest_of(b"{}"), 2, b"{}")
"""The config of what has none."""
