"""Versions kept on disk, so that a host starts without the registry; several replicas share the folder.

ROOT/<name>/<version>-<12 of the manifest's sha256>/   one artefact, complete or absent
ROOT/<name>/champion                                   the folder that served last
"""

import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from services.sources.mlflow_registry import Release
from services.sources.onnx_model import sha256

FOLDER = re.compile(r"(?P<version>\d+)-(?P<hash>[0-9a-f]{12})")
PARTIAL = ".partial-"
ABANDONED_SECONDS = 600
KEPT_BESIDES = 1


class DiskCache:
    """The versions of one model. Blocking: call it in a thread."""

    def __init__(self, root: Path, name: str) -> None:
        self._root, self._name = root / name, name

    def folder(self, release: Release) -> Path:
        """Where a release lies, or would lie."""
        return self._root / f"{release.version}-{release.manifest_sha256[:12]}"

    @contextmanager
    def incoming(self, release: Release) -> Iterator[Path]:
        """A folder to fill; it becomes the release's at the end, unless another replica was faster."""
        partial = self._root / f"{PARTIAL}{uuid4().hex}"
        partial.mkdir(parents=True)
        try:
            yield partial
            _rename(partial, self.folder(release))
        finally:
            shutil.rmtree(partial, ignore_errors=True)

    def drop(self, release: Release) -> None:
        """Remove what turned out to be damaged."""
        shutil.rmtree(self.folder(release), ignore_errors=True)

    def remember(self, release: Release) -> None:
        """Note what serves now."""
        partial = self._root / f"{PARTIAL}{uuid4().hex}"
        partial.write_text(self.folder(release).name)
        partial.replace(self._root / "champion")

    def releases(self) -> list[Release]:
        """What is there: first what served last, then from the newest down."""
        folders = [path for path in self._root.glob("*-*") if FOLDER.fullmatch(path.name)]
        last = self._served_last()
        folders.sort(key=lambda path: (path.name == last, int(path.name.split("-")[0])), reverse=True)
        found = [self._release(path) for path in folders]
        return [release for release in found if release]

    def prune(self, serving: Release) -> None:
        """Keep what serves and the one that came before it; remove the rest, and what dead processes left."""
        others = [path for path in self._root.glob("*-*") if FOLDER.fullmatch(path.name)]
        others = [path for path in others if path != self.folder(serving)]
        others.sort(key=_age_seconds)
        abandoned = [path for path in self._root.glob(f"{PARTIAL}*") if _age_seconds(path) > ABANDONED_SECONDS]
        for path in others[KEPT_BESIDES:] + abandoned:
            shutil.rmtree(path, ignore_errors=True)

    def _served_last(self) -> str:
        try:
            return (self._root / "champion").read_text().strip()
        except OSError:
            return ""

    def _release(self, folder: Path) -> Release | None:
        """None when the manifest is missing or is not the one that the folder is named after."""
        version, _, short = folder.name.partition("-")
        try:
            manifest = sha256(folder / "manifest.json")
        except OSError:
            return None
        return Release(self._name, version, manifest) if manifest.startswith(short) else None


def _rename(partial: Path, folder: Path) -> None:
    try:
        partial.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise


def _age_seconds(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return 0
