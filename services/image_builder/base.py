"""What all images of models share, as `pack` has written it beside the layers."""

import hashlib
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from models.contract import Manifest

FILE = "layers.json"


class Part(BaseModel):
    """One layer of the base; its file is NAME.tar.zst."""

    model_config = ConfigDict(frozen=True)
    name: str
    digest: str
    diff_id: str
    size: int


class Base(BaseModel):
    """The layers, the lowest first, with what is installed in them and what their code expects of models."""

    model_config = ConfigDict(frozen=True)
    layers: tuple[Part, ...]
    architecture: str
    environment: dict[str, str]
    versions: dict[str, str]
    contracts: dict[str, Any]

    @property
    def id(self) -> str:
        """Twelve digits that tell bases apart."""
        told = "\n".join([self.architecture, *(layer.digest for layer in self.layers)])
        return hashlib.sha256(told.encode()).hexdigest()[:12]

    def contract(self, model: str) -> Manifest | None:
        """What the code in the base expects of that model; None where it does not know it."""
        found = self.contracts.get(model)
        return Manifest.model_validate(found) if found else None


def read_base(folder: Path) -> Base | None:
    """The base in a folder, if there is one."""
    file = folder / FILE
    return Base.model_validate_json(file.read_bytes()) if file.is_file() else None
