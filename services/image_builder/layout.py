"""A folder in the OCI image layout: what a registry would hold, on disk. `skopeo` and `oras` read it."""

import asyncio
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

from services.image_builder.oci import INDEX, Blob, canonical

REF = "org.opencontainers.image.ref.name"


class Layout:
    """`oci-layout`, `index.json`, `blobs/sha256/`. One process writes it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = asyncio.Lock()

    def reference(self, repository: str, tag: str) -> str:
        """The folder, and the name in its index."""
        return f"oci:{self._folder}:{repository}:{tag}"

    async def put(self, repository: str, blob: Blob, *, shared_by: str | None = None) -> int:
        """Into `blobs`; all repositories share them."""
        return await asyncio.to_thread(self._put, blob)

    async def tagged(self, repository: str, tag: str) -> str | None:
        """What the index says; nothing where the manifest itself is gone."""
        for entry in self._index()["manifests"]:
            if entry.get("annotations", {}).get(REF) == f"{repository}:{tag}" and self._at(entry["digest"]).is_file():
                return str(entry["digest"])
        return None

    async def tag(self, repository: str, tag: str, manifest: Blob, annotations: Mapping[str, str]) -> None:
        """The manifest among the blobs, its name in the index."""
        async with self._lock:
            await asyncio.to_thread(self._put, manifest)
            name = f"{repository}:{tag}"
            entry = {**manifest.descriptor(), "annotations": {**annotations, REF: name}}
            others = [it for it in self._index()["manifests"] if it.get("annotations", {}).get(REF) != name]
            entries = sorted([*others, entry], key=lambda it: str(it["annotations"][REF]))
            self._write("oci-layout", canonical({"imageLayoutVersion": "1.0.0"}))
            self._write("index.json", canonical({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}))

    def _put(self, blob: Blob) -> int:
        path = self._at(blob.digest)
        if path.is_file():
            return 0
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{uuid4().hex}")
        if blob.path:
            shutil.copyfile(blob.path, partial)
        else:
            partial.write_bytes(blob.data)
        partial.replace(path)
        return blob.size

    def _at(self, digest: str) -> Path:
        return self._folder / "blobs" / digest.replace(":", os.sep)

    def _index(self) -> dict[str, Any]:
        file = self._folder / "index.json"
        return dict(json.loads(file.read_bytes())) if file.is_file() else {"manifests": []}

    def _write(self, name: str, content: bytes) -> None:
        partial = self._folder / f".{name}"
        partial.write_bytes(content)
        partial.replace(self._folder / name)
