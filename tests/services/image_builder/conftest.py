"""A builder between a registry of tiny models and a registry of images in memory."""

import json
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import httpx
import pytest

from models.contract import Lineage
from services.chassis.service import Service
from services.image_builder.base import FILE, Base, Part
from services.image_builder.layers import layer_at
from services.image_builder.main import build
from tests.conftest import MakeBackends, MakeClient, MakeDatabase
from tests.services.image_builder.shelf import Outside, Shelf
from tests.services.sources.tiny import FakeMlflow, contract

LINEAGE = Lineage(
    git_commit="a" * 40,
    sources_sha256="b" * 64,
    dirty=False,
    data_sha256="c" * 64,
    parameters={"c": 1.0},
    metrics={"accuracy": 0.9},
    versions={"onnx": "1.0"},
    author="Aki",
    purpose="tests",
    approver="Bo",
    trained_at="2026-01-01T00:00:00Z",
    expires_at="2027-01-01T00:00:00Z",
)
Builders = Callable[..., Service]


def small_base(folder: Path, **changes: object) -> Base:
    """Three layers of a few files, which know the tiny model."""
    folder.mkdir(parents=True, exist_ok=True)
    layers = []
    for name in ("os", "venv", "app"):
        with layer_at(folder / f"{name}.tar.zst") as (tar, made):
            tar.folder(name)
            (folder / "content").write_text(f"of {name}")
            tar.file(f"{name}/file", folder / "content")
        layers += made
    base = Base(
        layers=tuple(Part(name=it.name, digest=it.digest, diff_id=it.diff_id, size=it.size) for it in layers),
        architecture="amd64",
        environment={"PATH": "/venv/bin"},
        versions={"numpy": version("numpy"), "onnxruntime": version("onnxruntime")},
        contracts={"tiny": contract().model_dump(mode="json")},
    ).model_copy(update=changes)
    (folder / FILE).write_text(json.dumps(base.model_dump(mode="json")))
    return base


@pytest.fixture
def mlflow() -> FakeMlflow:
    return FakeMlflow()


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
async def builder(
    mlflow: FakeMlflow,
    shelf: Shelf,
    tmp_path: Path,
    database: MakeDatabase,
    backends: MakeBackends,
    monkeypatch: pytest.MonkeyPatch,
) -> Builders:
    """`builder(base=..., registry=False)`: the service; without a registry it writes a layout."""
    pool = await database("image_builder")

    def made(base: Path | None = tmp_path / "base", registry: bool = True) -> Service:
        monkeypatch.setenv("BASE_FOLDER", str(base or tmp_path / "nowhere"))
        monkeypatch.setenv("IMAGE_LAYOUT", str(tmp_path / "layout"))
        monkeypatch.setenv("REGISTRY_URL", "http://registry:8380" if registry else "")
        monkeypatch.setenv("CHAMPION_POLL_SECONDS", "0.01")
        return build(backends(database=pool, transport=Outside(mlflow, shelf)))

    small_base(tmp_path / "base")
    return made


@pytest.fixture
async def operator(
    builder: Builders, client: MakeClient, signed_in: Callable[..., dict[str, str]]
) -> httpx.AsyncClient:
    """Speaks to a builder that has a base and a registry."""
    http = client(builder())
    http.headers.update(signed_in(name="olga", roles=("operator",)))
    return http
