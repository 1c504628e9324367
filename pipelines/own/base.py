"""The model whose heads are retrained: the champion of the registry, or what this clone has made."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from models.contract import Manifest
from pipelines import artefact
from pipelines.register import ALIAS, champion


class NoBase(ValueError):
    """There is no model whose heads could be retrained."""


@dataclass(frozen=True)
class Base:
    """An artefact that keeps its promises, and what it is called."""

    folder: Path
    manifest: Manifest

    @property
    def called(self) -> str:
        """The same wherever it lies: by what it is."""
        return f"model_sha256 {artefact.model_hash(self.manifest)[:12]}"

    @property
    def onnx(self) -> Path:
        """The network."""
        return self.folder / artefact.ONNX


@contextmanager
def base_of(name: str, clone: Path = Path()) -> Iterator[Base]:
    """The artefact, for as long as it is needed; raises NoBase."""
    uri, made = os.environ.get("MLFLOW_TRACKING_URI"), clone / "data" / name / "model"
    with tempfile.TemporaryDirectory() as folder:
        if uri and fetched(name, uri, Path(folder)):
            place = Path(folder) / "model"
            yield Base(place, artefact.verify(place))
        elif (made / artefact.MANIFEST).is_file():
            yield Base(made, artefact.verify(made))
        else:
            raise NoBase(f"there is no {ALIAS} of {name} yet: scripts/train {name} makes one")


def fetched(name: str, uri: str, folder: Path) -> str | None:
    """Bring the champion's artefact; its version, or nothing if there is no champion."""
    from mlflow import MlflowClient

    client = MlflowClient(uri)
    version = champion(client, name)
    if version is None:
        return None
    run = client.get_model_version(name, version).run_id
    client.download_artifacts(run, "model", str(folder))
    return version
