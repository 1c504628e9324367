"""Where the stages of a model keep what they make, and what is committed of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.contract import Manifest
from pipelines import artefact


@dataclass(frozen=True)
class Folders:
    """Those of the model of that name."""

    name: str

    @property
    def data(self) -> Path:
        """What its stages make."""
        return Path("data") / self.name

    @property
    def prepared(self) -> Path:
        """What prepare makes."""
        return self.data / "prepared"

    @property
    def trained(self) -> Path:
        """What train makes."""
        return self.data / "trained"

    @property
    def file(self) -> Path:
        """The file that will be served."""
        return self.trained / artefact.ONNX

    @property
    def model(self) -> Path:
        """The artefact."""
        return self.data / "model"

    @property
    def committed(self) -> Path:
        """Where its card and pictures are."""
        return Path("models") / self.name

    def keep(
        self,
        manifest: Manifest,
        raws: Sequence[bytes],
        metrics: Mapping[str, float],
        reference: Mapping[str, Any],
        card_text: str,
        pictures: Iterable[str],
        suffix: str,
        libraries: Iterable[str] = (),
    ) -> None:
        """The artefact, and what is committed of it: the metrics and the card with its pictures."""
        drawn = {name: self.committed / name for name in pictures}
        artefact.write(self.model, manifest, self.file, raws, metrics, reference, card_text, drawn, libraries, suffix)
        (self.data / "metrics.json").write_text(artefact.canonical(dict(metrics)), "utf-8")
        (self.committed / "card.md").write_text(card_text, "utf-8")
