"""From a registered version to an image: fetch, verify, hold against the base, one layer, a config from nothing.

Nothing of the machine or the process gets in, so the same version on the same base has the same digest.
"""

import asyncio
import logging
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from prometheus_client import CollectorRegistry, Counter, Histogram

from models.contract import Manifest
from services.chassis.database import Connection, Database
from services.chassis.errors import NotFound, Problem
from services.image_builder import oci
from services.image_builder.assembling import BASE_REPOSITORY, artefact, image, image_of_base
from services.image_builder.base import Base
from services.image_builder.destination import Destination
from services.image_builder.fitting import DoesNotFit, check_fit
from services.image_builder.lineage import labels
from services.image_builder.records import Kind, Stored, StoredLayer, TagTaken, alone, find, keep
from services.sources.mlflow_registry import MlflowRegistry, Release
from services.sources.onnx_model import Unfit, check_files, read_manifest

log = logging.getLogger(__name__)
NO_BASE = "There is no base image here to put the model on; the model alone was written."


class Damaged(DoesNotFit):
    """The registered version is not what it was when it was made."""


class BuildMetrics:
    """What is counted about building."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.built = Counter("images_built_total", "Builds asked for.", ["model", "outcome"], registry=registry)
        self.pushed = Counter("image_bytes_pushed_total", "Bytes sent to the registry.", registry=registry)
        self.seconds = Histogram(
            "image_build_duration_seconds",
            "Time to fetch, build and push.",
            buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
            registry=registry,
        )


@dataclass(frozen=True)
class Outcome:
    """What a build ended with."""

    image: Stored | None
    artefact: Stored
    bytes_pushed: int
    seconds: float
    new: bool


@dataclass(frozen=True)
class Pushed:
    """One thing that is in the registry now."""

    stored: Stored
    sent: int
    new: bool


@dataclass(frozen=True)
class Builder:
    """Builds one version at a time for each tag."""

    models: MlflowRegistry
    database: Database
    destination: Destination
    base: Base | None
    base_folder: Path
    metrics: BuildMetrics

    async def release(self, name: str, version: str | None) -> Release:
        """The version that is meant: a number, or the champion. Raises NotFound."""
        found = await (self.models.version(name, version) if version else self.models.named(name))
        if found is None:
            raise NotFound(f"There is no version {version} of {name}." if version else f"{name} has no champion.")
        return found

    async def build(self, release: Release, tag: str | None = None, asked_by: str | None = None) -> Outcome:
        """The image and the model alone, in the registry under the tag; what is there already stays."""
        began = time.perf_counter()
        try:
            image, artefact = await self._built(release, tag or release.version, asked_by)
        except Problem as problem:
            self.metrics.built.labels(release.name, "refused").inc()
            log.warning("%s", problem.detail, extra={"action": "image.refused", "model": release.name})
            raise
        parts = [part for part in (image, artefact) if part]
        sent, new = sum(part.sent for part in parts), any(part.new for part in parts)
        seconds = time.perf_counter() - began
        self._count(release, sent, new, seconds)
        return Outcome(image.stored if image else None, artefact.stored, sent, round(seconds, 3), new)

    async def has(self, release: Release) -> bool:
        """Whether that was built once and is where it was put."""
        kind: Kind = "image" if self.base else "artefact"
        async with self.database.connection() as connection:
            stored = await find(connection, kind, release.name, release.version)
        if stored is None or stored.manifest_sha256 != release.manifest_sha256:
            return False
        return await self.destination.tagged(repository(kind, release.name), stored.tag) == stored.digest

    async def _built(self, release: Release, tag: str, asked_by: str | None) -> tuple[Pushed | None, Pushed]:
        with TemporaryDirectory(prefix="image-") as place:
            folder = Path(place) / "artefact"
            folder.mkdir()
            manifest = await self._fetched(release, folder)
            if self.base:
                check_fit(manifest, self.base)
            async with alone(self.database, release.name, tag) as connection:
                making = Making(self, connection, release, manifest, folder, tag, asked_by)
                artefact = await making.artefact()
                return (await making.image(self.base) if self.base else None), artefact

    async def _fetched(self, release: Release, folder: Path) -> Manifest:
        """The artefact, verified as hosts do."""
        try:
            if not release.manifest_sha256:
                raise Unfit("manifest", "the version has no tag manifest_sha256")
            await self.models.fetch(release, folder)
            manifest = await asyncio.to_thread(read_manifest, folder)
            await asyncio.to_thread(check_files, folder, manifest)
        except Unfit as unfit:
            raise Damaged(f"{release.name} version {release.version}: {unfit}") from unfit
        return manifest

    def _count(self, release: Release, sent: int, new: bool, seconds: float) -> None:
        self.metrics.built.labels(release.name, "built" if new else "there").inc()
        self.metrics.pushed.inc(sent)
        self.metrics.seconds.observe(seconds)
        told = {"action": "image.built", "model": release.name, "version": release.version, "bytes": sent}
        log.info("%s version %s %s", release.name, release.version, "built" if new else "is there", extra=told)


@dataclass(frozen=True)
class Making:
    """One build, while it holds the lock on its tag."""

    builder: Builder
    connection: Connection
    release: Release
    manifest: Manifest
    folder: Path
    tag: str
    asked_by: str | None

    async def artefact(self) -> Pushed:
        """The model alone."""
        files = await asyncio.to_thread(lambda: [oci.file_blob(path) for path in sorted(self.folder.iterdir())])
        blobs, manifest = artefact(files, self._labels())
        return await self._pushed("artefact", [(blob, None) for blob in blobs], manifest, None)

    async def image(self, base: Base) -> Pushed:
        """The model on the base; the base goes into a repository of its own, once, and is mounted from there."""
        await self._base(base)
        place = self.folder.parent / "model.tar.zst"
        layers, config, manifest = await asyncio.to_thread(
            image, base, self.builder.base_folder, self.release, self.folder, place, self._labels()
        )
        shared = {layer.digest for layer in base.layers}
        blobs = [(blob, BASE_REPOSITORY if blob.digest in shared else None) for blob in [*layers, config]]
        return await self._pushed("image", blobs, manifest, base)

    async def _base(self, base: Base) -> None:
        destination = self.builder.destination
        if await destination.tagged(BASE_REPOSITORY, base.id):
            return
        layers, config, manifest = image_of_base(base, self.builder.base_folder)
        for blob in [*layers, config]:
            self.builder.metrics.pushed.inc(await destination.put(BASE_REPOSITORY, blob))
        await destination.tag(BASE_REPOSITORY, base.id, manifest, {})

    async def _pushed(
        self, kind: Kind, blobs: list[tuple[oci.Blob, str | None]], manifest: oci.Blob, base: Base | None
    ) -> Pushed:
        stored = self._stored(kind, [blob for blob, _ in blobs], manifest, base)
        known = await find(self.connection, kind, stored.name, self.tag)
        there = await self.builder.destination.tagged(repository(kind, stored.name), self.tag)
        refuse_other(stored, known, there)
        if known and there:
            return Pushed(known, 0, new=False)
        target = repository(kind, stored.name)
        sent = sum([await self.builder.destination.put(target, blob, shared_by=owner) for blob, owner in blobs])
        if known is None:
            await keep(self.connection, stored)
        await self.builder.destination.tag(target, self.tag, manifest, {"model.kind": kind})
        return Pushed(known or stored, sent, new=True)

    def _stored(self, kind: Kind, blobs: list[oci.Blob], manifest: oci.Blob, base: Base | None) -> Stored:
        layers = [blob for blob in blobs if blob.media_type not in (oci.CONFIG, oci.EMPTY)]
        names = (
            [part.name for part in base.layers] + ["model"] if base else [it.annotations[oci.TITLE] for it in layers]
        )
        return Stored(
            kind=kind,
            name=self.release.name,
            version=self.release.version,
            tag=self.tag,
            digest=manifest.digest,
            reference=self.builder.destination.reference(repository(kind, self.release.name), self.tag),
            manifest_sha256=self.release.manifest_sha256,
            base=base.id if base else None,
            size=sum(blob.size for blob in layers),
            layers=[StoredLayer(name=n, digest=it.digest, size=it.size) for n, it in zip(names, layers, strict=True)],
            asked_by=self.asked_by,
        )

    def _labels(self) -> dict[str, str]:
        return labels(self.manifest, self.release, self.manifest.files["model.onnx"])


def repository(kind: Kind, name: str) -> str:
    """Images and models alone do not share one: each has its own tags."""
    return f"{'models' if kind == 'image' else 'artefacts'}/{name}"


def refuse_other(stored: Stored, known: Stored | None, there: str | None) -> None:
    """Raises TagTaken when the tag names something else, here or in the registry."""
    if known and known.digest != stored.digest:
        differs = [
            f"{what} {before} before, {now} now"
            for what, before, now in (
                ("manifest", known.manifest_sha256[:12], stored.manifest_sha256[:12]),
                ("base", known.base, stored.base),
            )
            if before != now
        ]
        why = "; ".join(differs) or "the builder has changed"
        raise TagTaken(f"{known.reference} is {known.digest}. {why}. Register a new version, or name another tag.")
    if there and there != stored.digest:
        raise TagTaken(f"{stored.reference} is {there} in the registry, pushed by somebody else.")
