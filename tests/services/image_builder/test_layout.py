"""Without a registry the same builder writes a folder in the OCI layout."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.conftest import MakeClient
from tests.services.image_builder.conftest import Builders
from tests.services.sources.tiny import FakeMlflow, artefact

SignedIn = Callable[..., dict[str, str]]
URL = "/api/image-builder/images"


def blob(layout: Path, descriptor: dict[str, Any]) -> bytes:
    """A blob, held against its descriptor."""
    algorithm, _, name = descriptor["digest"].partition(":")
    data: bytes = (layout / "blobs" / algorithm / name).read_bytes()
    assert (hashlib.sha256(data).hexdigest(), len(data)) == (name, descriptor["size"])
    return data


def manifests(layout: Path) -> dict[str, dict[str, Any]]:
    """Every manifest by its name, after everything it names was found whole."""
    assert json.loads((layout / "oci-layout").read_bytes()) == {"imageLayoutVersion": "1.0.0"}
    index = json.loads((layout / "index.json").read_bytes())
    assert index["schemaVersion"] == 2
    found = {}
    for entry in index["manifests"]:
        manifest = json.loads(blob(layout, entry))
        assert entry["mediaType"] == manifest["mediaType"]
        for part in [manifest["config"], *manifest["layers"]]:
            blob(layout, part)
        found[entry["annotations"]["org.opencontainers.image.ref.name"]] = manifest
    return found


async def test_without_a_base_the_model_alone_is_written(
    builder: Builders, client: MakeClient, signed_in: SignedIn, mlflow: FakeMlflow, tmp_path: Path
) -> None:
    http = client(builder(base=None, registry=False))
    for number in ("1", "2"):
        mlflow.add(number, artefact(tmp_path / number, seed=int(number)))
        answer = await http.post(URL, json={"model": "tiny"}, headers=signed_in(roles=("operator",)))
        assert answer.status_code == 201
    assert answer.json()["image"] is None
    assert "no base image" in answer.json()["note"]
    assert answer.json()["reference"] == f"oci:{tmp_path}/layout:artefacts/tiny:2"
    found = manifests(tmp_path / "layout")
    assert list(found) == ["artefacts/tiny:1", "artefacts/tiny:2"]
    assert all(manifest["artifactType"] == "application/vnd.model.onnx.v1" for manifest in found.values())


async def test_with_a_base_the_whole_image_is_written(
    builder: Builders, client: MakeClient, signed_in: SignedIn, mlflow: FakeMlflow, tmp_path: Path
) -> None:
    mlflow.add("1", artefact(tmp_path / "one"))
    http = client(builder(registry=False))
    headers = signed_in(roles=("operator",))
    first = await http.post(URL, json={"model": "tiny"}, headers=headers)
    again = await http.post(URL, json={"model": "tiny"}, headers=headers)
    assert (first.status_code, again.status_code, again.json()["bytes_pushed"]) == (201, 200, 0)
    found = manifests(tmp_path / "layout")
    assert {"models/tiny:1", "artefacts/tiny:1"} < set(found)
    assert [name for name in found if name.startswith("base/service:")]
    leftovers = list((tmp_path / "layout").rglob(".*"))
    assert leftovers == []
