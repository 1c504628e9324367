"""Model-in-image: the model lies in the image that the host was started from. No registry, no cache, nothing to follow.

What an image holds never changes, so one that does not fit its libraries or its code is refused once and for all,
and the host never becomes ready: what runs is another image, not another try.
"""

import json
import time
from pathlib import Path

from models.contract import Manifest
from services.sources.disk_cache import DiskCache
from services.sources.memory import give_back
from services.sources.mlflow_registry import CHAMPION, Release
from services.sources.model_load import LoadMetrics, ModelLoad
from services.sources.onnx_model import Features, Unfit, sha256
from services.sources.threads import Threads

RELEASE_FILE = "release.json"
"""Written beside the manifest by the image builder: which registered version it is."""


class ModelInImage(ModelLoad):
    """Serves what lies in FOLDER/NAME, verified in the same way as what comes from the registry."""

    def __init__(
        self,
        declared: Manifest,
        features: Features,
        *,
        folder: Path,
        threads: Threads,
        metrics: LoadMetrics,
        session_threads: int = 1,
        alias: str = CHAMPION,
    ) -> None:
        super().__init__(
            declared,
            features,
            registry=None,
            cache=DiskCache(folder, declared.name),
            threads=threads,
            metrics=metrics,
            session_threads=session_threads,
            alias=alias,
        )
        self._folder = folder / declared.name
        self._was_tried = False
        if alias != CHAMPION:
            self.trouble = f"an image holds one version, and no {alias}"

    async def _look(self) -> None:
        """Once: what is in the image stays as it is."""
        if self._was_tried or self.alias != CHAMPION:
            return
        self._was_tried = True
        started = time.perf_counter()
        release = Release(self.name, "in the image", "")
        try:
            release = released(self._folder)
            model = await self._opened(self._folder)
        except Unfit as unfit:
            self._refuse(release, unfit)
        else:
            await self._swap(release, model, time.perf_counter() - started)

    def _refuse(self, release: Release, unfit: Unfit) -> None:
        """As with any version, but for good."""
        super()._refuse(release, unfit)
        self.trouble = f"version {release.version} is refused: {unfit}; this image cannot run it, build another"

    def _tidy(self, release: Release) -> None:
        give_back()


def released(folder: Path) -> Release:
    """Which registered version lies there; raises Unfit."""
    try:
        told = json.loads((folder / RELEASE_FILE).read_bytes())
        release = Release(told["name"], told["version"], told["manifest_sha256"])
        found = sha256(folder / "manifest.json")
    except (OSError, ValueError, KeyError) as error:
        raise Unfit("manifest", f"cannot be read: {type(error).__name__}: {error}") from error
    if found != release.manifest_sha256:
        raise Unfit("manifest", "is not the one that was registered")
    return release


def lying_in(folder: Path) -> set[str]:
    """The models that lie there."""
    return {path.parent.name for path in folder.glob("*/manifest.json")}
