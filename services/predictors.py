"""The models that this process serves: everything under `models/` that has a contract, each in its patterns."""

import asyncio
import importlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from time import perf_counter
from typing import Any

from prometheus_client import CollectorRegistry
from pydantic import Field

from models.contract import Arrays, Manifest
from services.chassis.metrics import LATENCY_BUCKETS
from services.chassis.service import Service
from services.chassis.settings import Settings, Unusable
from services.chassis.tallies import Counts, Timings
from services.prediction import (
    NOBODY,
    OVER_LIMIT,
    OVERLOADED,
    AtOnce,
    Context,
    NotLoaded,
    Overloaded,
    Predict,
    Prediction,
    PredictionRequest,
)
from services.sources.disk_cache import DiskCache
from services.sources.memory import stay_small
from services.sources.mlflow_registry import CHAMPION, MlflowRegistry
from services.sources.model_in_image import ModelInImage, lying_in
from services.sources.model_load import LoadMetrics, ModelLoad
from services.sources.onnx_model import Features
from services.sources.threads import Threads
from services.spool.spooling import spooling
from services.wiring import Wiring, wired, wired_at_once


class PredictorSettings(Settings):
    """What every host of models may be given."""

    mlflow_tracking_uri: str | None = Field(None, description="The registry; without it, what is on disk serves.")
    model_cache: Path = Field(Path("/models"), description="Folder that keeps fetched versions.")
    model_folder: Path | None = Field(
        None, description="Folder of an image that holds NAME/ of each model to serve; then nothing is followed."
    )
    model_packages: str = Field("models", description="Python packages whose folders with a contract are served.")
    models: str = Field(
        "", description="Which models to serve, comma-separated; `-NAME` means all but that one; empty means all."
    )
    model_poll_seconds: float = Field(4.0, gt=0, description="How often the registry is asked for the champion.")
    model_threads: int = Field(1, ge=1, description="Threads of one ONNX Runtime session.")
    model_workers: int = Field(
        default_factory=lambda: min(4, _cores()), ge=1, description="Predictions (and decodings) made at the same time."
    )
    # A worker screens `workers.AT_ONCE` items side by side, and each asks two models at once: none may be turned away.
    model_queue: int = Field(64, ge=0, description="Most calls waiting for a worker; beyond, the default answers.")


def _cores() -> int:
    """Cores that this process may use, where the system tells."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True)
class Declared:
    """A model as its folder declares it."""

    manifest: Manifest
    features: Features


def declared_models(packages: str = "models") -> list[Declared]:
    """Every folder with a contract in the packages (separated by commas)."""
    return [declared for package in packages.split(",") for declared in _declared(package.strip())]


def _declared(package: str) -> Iterator[Declared]:
    places = importlib.import_module(package).__path__
    for name in sorted(path.parent.name for place in places for path in Path(place).glob("*/contract.py")):
        contract = importlib.import_module(f"{package}.{name}.contract")
        features: Any = importlib.import_module(f"{package}.{name}.features")
        yield Declared(contract.contract(), features)


@dataclass(frozen=True)
class Aliases:
    """What follows the registry for one model: its champion, and what patterns ask for besides."""

    make: Callable[[str], ModelLoad]
    made: dict[str, ModelLoad] = field(default_factory=dict)

    def source(self, alias: str) -> ModelLoad:
        """The one that follows this alias."""
        if alias not in self.made:
            self.made[alias] = self.make(alias)
        return self.made[alias]

    def predict(self, alias: str) -> Predict:
        """What answers for this alias."""
        return self.source(alias).predict


LARGE_ANSWER_BYTES = 64 * 1024
SHORT_TEXT_BYTES = 512
"""Tensors of such a text are made sooner than a thread would begin."""
Encoded = tuple[Arrays, Mapping[str, Any]]
"""The tensors of a raw input, and parameters that say what went wrong while they were made."""


@dataclass(frozen=True)
class Predictor:
    """One model of this process: where it comes from, and the chain that answers for it."""

    name: str
    source: ModelLoad
    predict: Predict
    features: Features
    threads: Threads
    aliases: Aliases
    at_once: AtOnce | None = None
    """The chain for requests of which `answers_at_once` is true."""

    def answers_at_once(self, rows: int) -> bool:
        """Whether so many rows are answered without waiting for anything."""
        return self.at_once is not None and self.source.is_quick(rows)

    @property
    def manifest(self) -> Manifest:
        """The contract in force."""
        return self.source.contract()

    @property
    def version(self) -> str | None:
        """The version that serves, if one does."""
        return self.source.version()

    @property
    def takes_text(self) -> bool:
        """Whether the raw input is a text; a picture file otherwise."""
        return any(spec.language for spec in self.manifest.inputs)

    async def judge(
        self, raw: bytes, context: Context = NOBODY, parameters: Mapping[str, Any] | None = None
    ) -> tuple[Prediction, dict[str, Any]]:
        """From raw bytes to the answer in words; raises ValueError where the bytes are no such thing."""
        over = parameters is not None and parameters.get(OVER_LIMIT)
        encoded = ({}, {}) if over else await self.encoded(raw)  # the default needs no tensors
        prediction = await self.predict_encoded(encoded, context, parameters)
        return prediction, await self._in_words(prediction)

    async def predict_encoded(
        self, encoded: Encoded, context: Context = NOBODY, parameters: Mapping[str, Any] | None = None
    ) -> Prediction:
        """From tensors that this model, or another one of the same input, has made."""
        inputs, found = encoded
        request = PredictionRequest(self.name, inputs, parameters={**(parameters or {}), **found}, context=context)
        return await self.predict(request)

    async def _in_words(self, prediction: Prediction) -> dict[str, Any]:
        """A picture takes a while to become a file."""
        if sum(array.nbytes for array in prediction.outputs.values()) < LARGE_ANSWER_BYTES:
            return self.in_words(prediction)
        return await asyncio.to_thread(self.in_words, prediction)

    def in_words(self, prediction: Prediction) -> dict[str, Any]:
        """What the first row of an answer means."""
        return self.features.answer(self.manifest, prediction.outputs)

    async def encoded(self, raw: bytes) -> Encoded:
        """The tensors of raw bytes; raises ValueError where the bytes are no such thing."""
        if self.takes_text and len(raw) <= SHORT_TEXT_BYTES:
            return self.features.encode(raw), {}
        try:
            return await self.threads.run(self.features.encode, raw), {}
        except Overloaded:
            return {}, {OVERLOADED: True}


Predictors = dict[str, Predictor]


def served(
    service: Service,
    settings: PredictorSettings,
    *,
    patience_seconds: float,
    declared: Sequence[Declared] | None = None,
) -> Predictors:
    """The predictors of a host; the service follows the registry for them as long as it runs."""
    stay_small()
    threads = Threads(settings.model_workers, settings.model_queue)
    loads, counts = LoadMetrics(service.metrics.registry), PredictionMetrics(service.metrics.registry)
    predictors: Predictors = {}
    spool, registry = spooling(service), _registry(service, settings)
    for model in _served(declared_models(settings.model_packages) if declared is None else declared, settings):
        aliases = Aliases(partial(_source, model, registry, settings, threads, loads))
        source = aliases.source(CHAMPION)
        wiring = Wiring(
            source.name,
            source.contract,
            service.backends,
            service.metrics,
            patience_seconds,
            version=source.version,
            alias=aliases.predict,
            spool=spool,
        )
        predict = counts.counted(wired(source.predict, wiring))
        quick = wired_at_once(source.at_once, wiring)
        predictors[source.name] = Predictor(
            source.name, source, predict, model.features, threads, aliases, quick and counts.counted_at_once(quick)
        )
    service.background(_following(predictors.values(), settings.model_poll_seconds))
    if settings.model_folder:
        service.ready_checks["models"] = partial(_all_loaded, predictors)
    return predictors


def wanted(declared: Sequence[Declared], names: str) -> Sequence[Declared]:
    """The models that MODELS names, or all but those it takes out; raises Unusable where there is no such model."""
    named = {name.strip() for name in names.split(",") if name.strip()}
    out = {name for name in named if name.startswith("-")}
    known = {model.manifest.name for model in declared}
    strange = {name.removeprefix("-") for name in named} - known
    if strange or (out and out != named):
        what = (
            f"there is no model {', '.join(sorted(strange))}" if strange else "names some models and takes out others"
        )
        raise Unusable(f"MODELS={names}: {what}. Allowed: some of {', '.join(sorted(known))}, all with a - or none.")
    kept = known - {name.removeprefix("-") for name in out} if out else named or known
    return [model for model in declared if model.manifest.name in kept]


class NotInHere(Exception):
    """The image holds a model that its code does not know, or none at all."""


def _served(declared: Sequence[Declared], settings: PredictorSettings) -> Sequence[Declared]:
    """Those that are wanted, and of them those that lie in the image, if it is to be served from one."""
    declared = wanted(declared, settings.models)
    if settings.model_folder is None:
        return declared
    lie, known = lying_in(settings.model_folder), {model.manifest.name for model in declared}
    if not lie or lie - known:
        raise NotInHere(f"{settings.model_folder} holds {sorted(lie)}; the code knows {sorted(known)}")
    return [model for model in declared if model.manifest.name in lie]


async def _all_loaded(predictors: Predictors) -> None:
    """An image without its model is good for nothing; raises NotLoaded."""
    for predictor in predictors.values():
        if predictor.version is None:
            raise NotLoaded(f"{predictor.name}: {predictor.source.trouble}")


def _source(
    model: Declared,
    registry: MlflowRegistry | None,
    settings: PredictorSettings,
    threads: Threads,
    metrics: LoadMetrics,
    alias: str,
) -> ModelLoad:
    if settings.model_folder:
        return ModelInImage(
            model.manifest,
            model.features,
            folder=settings.model_folder,
            threads=threads,
            metrics=metrics,
            session_threads=settings.model_threads,
            alias=alias,
        )
    at = settings.model_cache if alias == CHAMPION else settings.model_cache / f"@{alias}"
    return ModelLoad(
        model.manifest,
        model.features,
        registry=registry,
        cache=DiskCache(at, model.manifest.name),
        threads=threads,
        metrics=metrics,
        session_threads=settings.model_threads,
        alias=alias,
    )


def _registry(service: Service, settings: PredictorSettings) -> MlflowRegistry | None:
    """One for all models of a host, so that they share its questions."""
    address = settings.mlflow_tracking_uri
    return MlflowRegistry(service.backends.http, address) if address else None


def _following(predictors: Iterable[Predictor], every_seconds: float) -> Any:
    champions = [predictor.source for predictor in predictors]
    sources = [source for predictor in predictors for source in predictor.aliases.made.values()]

    async def follow_registry() -> None:
        """Look at once, then again and again; more often while there is nothing to serve at all."""
        while True:
            await asyncio.gather(*(source.look() for source in sources))
            nothing = all(champion.serving is None for champion in champions)
            await asyncio.sleep(min(0.5, every_seconds) if nothing else every_seconds)

    return follow_registry


async def caught_up(predictors: Predictors) -> None:
    """Whatever the registry can give is loaded, so that no default answers for want of a moment."""
    await asyncio.gather(*(predictor.source.hurry() for predictor in predictors.values()))


class PredictionMetrics:
    """Every prediction is counted by who gave it and why."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._total = Counts(
            "predictions_total", "Predictions answered.", ["model", "version", "served_by", "reason"], registry=registry
        )
        self._seconds = Timings(
            "prediction_duration_seconds",
            "Time to answer, waiting included.",
            ["model"],
            buckets=LATENCY_BUCKETS,
            registry=registry,
        )

    def counted(self, predict: Predict) -> Predict:
        """The same, counted."""
        seconds, total = cache(self._seconds.labels), cache(self._total.labels)

        async def counting(request: PredictionRequest) -> Prediction:
            started = perf_counter()
            try:
                prediction = await predict(request)
            finally:
                seconds(request.model).observe(perf_counter() - started)
            total(prediction.model, prediction.version, prediction.served_by, prediction.reason or "").inc()
            return prediction

        return counting

    def counted_at_once(self, predict: AtOnce) -> AtOnce:
        """The same, counted, where nothing is awaited."""
        seconds, total = cache(self._seconds.labels), cache(self._total.labels)

        def counting(request: PredictionRequest) -> Prediction:
            started = perf_counter()
            try:
                prediction = predict(request)
            finally:
                seconds(request.model).observe(perf_counter() - started)
            total(prediction.model, prediction.version, prediction.served_by, prediction.reason or "").inc()
            return prediction

        return counting
