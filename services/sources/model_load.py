"""Model-load: the host follows the registry and swaps to a new champion without dropping a request.

A version is fetched, verified and tried beside the one that serves; only then it takes over, and
requests under way finish on the old one. One that does not fit is refused and the old one stays.
With the registry away, what served last is started from disk, verified in the same way.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import httpx
from prometheus_client import CollectorRegistry, Counter, Gauge

from models.contract import Manifest
from services.prediction import NotLoaded, Prediction, PredictionRequest, Unloaded
from services.sources.disk_cache import DiskCache
from services.sources.memory import give_back
from services.sources.mlflow_registry import CHAMPION, MlflowRegistry, Release
from services.sources.onnx_model import Features, OnnxModel, Unfit, open_model
from services.sources.threads import Threads

log = logging.getLogger(__name__)
TRY_REFUSED_AGAIN_SECONDS = 60.0
HURRY_SECONDS = 0.3
DAMAGE = ("files", "manifest")
"""Reasons that another copy may cure."""


class LoadMetrics:
    """What is counted about models coming and going."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.info = Gauge("model_info", "1 for the version that serves.", ["model", "version"], registry=registry)
        self.seconds = Gauge(
            "model_load_seconds", "Time to fetch and verify the version that serves.", ["model"], registry=registry
        )
        self.refused = Counter("model_refused_total", "Versions refused.", ["model", "reason"], registry=registry)
        self.behind = Gauge(
            "model_champion_refused",
            "1 while the champion is refused and another answers.",
            ["model"],
            registry=registry,
        )


@dataclass(frozen=True)
class Serving:
    """The version that answers now."""

    release: Release
    model: OnnxModel


class ModelLoad:
    """Follows one alias of one model of the registry."""

    def __init__(
        self,
        declared: Manifest,
        features: Features,
        *,
        registry: MlflowRegistry | None,
        cache: DiskCache,
        threads: Threads,
        metrics: LoadMetrics,
        session_threads: int = 1,
        alias: str = CHAMPION,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = declared.name
        self.alias = alias
        self.label = self.name if alias == CHAMPION else f"{self.name}@{alias}"
        self.serving: Serving | None = None
        self.switched_off = False
        self.trouble = "no version has been looked for yet"
        self._declared, self._features, self._session_threads = declared, features, session_threads
        self._registry, self._cache, self._threads, self._metrics = registry, cache, threads, metrics
        self._refused: dict[Release, float] = {}
        self._disk_was_tried = alias != CHAMPION  # only a champion has to answer with the registry away
        self._clock, self._looked_at = clock, float("-inf")
        self._looking = asyncio.Lock()

    def contract(self) -> Manifest:
        """The contract of the version that serves; the declared one before there is any."""
        return self.serving.model.manifest if self.serving else self._declared

    def version(self) -> str | None:
        """The version that serves, if one does."""
        return self.serving.release.version if self.serving else None

    def is_quick(self, rows: int) -> bool:
        """Whether so many rows are answered, or refused, without waiting for anything."""
        return self.serving is None or self.serving.model.is_quick(rows)

    async def predict(self, request: PredictionRequest) -> Prediction:
        """Answer with the version that serves at this moment; raises NotLoaded, Unloaded or Overloaded."""
        if self.is_quick(request.rows):
            return self.at_once(request)
        serving = self.serving or self._nobody()
        outputs = await self._threads.run(serving.model.run, request.inputs)
        return Prediction(request.id, self.name, serving.release.version, outputs)

    def at_once(self, request: PredictionRequest) -> Prediction:
        """The same in this turn of the event loop: for as many rows as `is_quick` says."""
        serving = self.serving or self._nobody()
        return Prediction(request.id, self.name, serving.release.version, serving.model.run(request.inputs))

    def _nobody(self) -> NoReturn:
        if self.switched_off:
            raise Unloaded(self.name)
        raise NotLoaded(f"{self.name}: {self.trouble}")

    async def look(self) -> None:
        """Look once which version the alias names and take it over; trouble is noted, not raised."""
        async with self._looking:
            await self._look()

    async def hurry(self) -> None:
        """Somebody needs the model now: if none is loaded, look now rather than at the next turn."""
        async with self._looking:
            if self.serving is None and self._clock() - self._looked_at > HURRY_SECONDS:
                await self._look()

    async def switch(self, *, on: bool) -> None:
        """Out of service, or back into it; returns when it is done."""
        async with self._looking:
            if on != self.switched_off:
                return
            self.switched_off = not on
            if on:
                self._disk_was_tried = self.alias != CHAMPION
                await self._look()
            else:
                self._stop_serving()
                self.trouble = "unloaded by an operator"
                await asyncio.to_thread(give_back)

    async def _look(self) -> None:
        if self.switched_off:
            return
        champion = await self._champion()
        if champion and not self._known(champion):
            await self._take(champion)
        if self.serving is None and not self._disk_was_tried:
            self._disk_was_tried = True
            await self._from_disk()
        self._looked_at = self._clock()

    async def _champion(self) -> Release | None:
        if self._registry is None:
            self.trouble = "no registry is configured"
            return None
        try:
            champion = await self._registry.named(self.name, self.alias)
        except (httpx.HTTPError, KeyError, ValueError) as error:
            self._note(f"the registry does not answer: {error!r}")
            return None
        if champion is None:
            self._note(f"the registry has no {self.alias}")
            self._let_go()
        return champion

    def _let_go(self) -> None:
        """A champion serves on; another alias that was taken away is over."""
        if self.alias != CHAMPION:
            self._stop_serving()

    def _stop_serving(self) -> None:
        if self.serving:
            self._metrics.info.remove(self.label, self.serving.release.version)
            self.serving = None

    def _known(self, champion: Release) -> bool:
        """Whether nothing is to do about it: it serves, or was refused a short while ago."""
        serves = self.serving is not None and self.serving.release == champion
        if serves:
            self._metrics.behind.labels(self.label).set(0)
            self.trouble = ""
        return serves or self._refused.get(champion, float("-inf")) > self._clock() - TRY_REFUSED_AGAIN_SECONDS

    async def _take(self, release: Release) -> None:
        started = time.perf_counter()
        try:
            model = await self._fetched(release)
        except Unfit as unfit:
            self._refuse(release, unfit)
        except (httpx.HTTPError, OSError, KeyError) as error:
            self._note(f"version {release.version} could not be fetched: {error!r}")
        else:
            await self._swap(release, model, time.perf_counter() - started)

    async def _fetched(self, release: Release) -> OnnxModel:
        """The version, from disk if it lies there whole."""
        folder = self._cache.folder(release)
        if folder.is_dir():
            try:
                return await self._opened(folder)
            except Unfit as unfit:
                if unfit.reason not in DAMAGE:
                    raise
            self._cache.drop(release)
        await self._fetch(release)
        return await self._opened(folder)

    async def _fetch(self, release: Release) -> None:
        if not release.manifest_sha256:
            raise Unfit("manifest", "the version has no tag manifest_sha256")
        assert self._registry
        with self._cache.incoming(release) as partial:
            await self._registry.fetch(release, partial)

    async def _opened(self, folder: Path) -> OnnxModel:
        return await asyncio.to_thread(open_model, folder, self._declared, self._features, self._session_threads)

    async def _swap(self, release: Release, model: OnnxModel, seconds: float) -> None:
        before, self.serving = self.serving, Serving(release, model)
        self.trouble = ""
        if before:
            self._metrics.info.remove(self.label, before.release.version)
        self._metrics.info.labels(self.label, release.version).set(1)
        self._metrics.seconds.labels(self.label).set(seconds)
        self._metrics.behind.labels(self.label).set(0)
        log.info(
            "%s version %s serves",
            self.label,
            release.version,
            extra={
                "action": "model.loaded",
                "before": before.release.version if before else None,
                "seconds": round(seconds, 2),
            },
        )
        await asyncio.to_thread(self._tidy, release)

    def _tidy(self, release: Release) -> None:
        give_back()
        try:
            self._cache.remember(release)
            self._cache.prune(release)
        except OSError as error:
            log.warning("model cache: %r", error, extra={"action": "model.cache_failed", "model": self.name})

    async def _from_disk(self) -> None:
        """Start what served last, or the newest version that is whole."""
        for release in await asyncio.to_thread(self._cache.releases):
            if self._known(release):
                continue
            started = time.perf_counter()
            try:
                model = await self._opened(self._cache.folder(release))
            except Unfit as unfit:
                self._refuse(release, unfit)
            else:
                await self._swap(release, model, time.perf_counter() - started)
                return

    def _refuse(self, release: Release, unfit: Unfit) -> None:
        """Leave it alone for a while; damaged files are fetched anew the next time."""
        self._refused[release] = self._clock()
        self._metrics.refused.labels(self.label, unfit.reason).inc()
        self._metrics.behind.labels(self.label).set(1)
        self.trouble = f"version {release.version} is refused: {unfit}"
        log.error("%s %s", self.label, self.trouble, extra={"action": "model.refused", "reason": unfit.reason})
        if unfit.reason in DAMAGE:
            self._cache.drop(release)

    def _note(self, trouble: str) -> None:
        if trouble != self.trouble:
            log.warning("%s: %s", self.label, trouble, extra={"action": "model.waits"})
        self.trouble = trouble
