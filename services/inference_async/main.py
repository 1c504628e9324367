"""Answers when it can: screens every registered item, and works off jobs. model-load -> patterns -> workers."""

import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from prometheus_client import Counter, Histogram
from pydantic import Field

from models.image_screening.contract import EMBEDDING_VERSION
from services.chassis.backends import Backends
from services.chassis.changes import POLL_SECONDS, Changes
from services.chassis.metrics import LATENCY_BUCKETS
from services.chassis.service import Service
from services.chassis.settings import Unusable
from services.contracts import CloudEvent, EventData, ItemRegistered, ItemScreened, PredictionRequested
from services.deny_list import DenySettings
from services.inference_async import job_routes
from services.inference_async.answering import Answers
from services.inference_async.callbacks import Callbacks
from services.inference_async.dead_letters import offer_dead_letters
from services.inference_async.effects import Effects, effect_of
from services.inference_async.job_metrics import JobMetrics
from services.inference_async.job_routes import Desk
from services.inference_async.jobs import Jobs
from services.inference_async.requested import Requested
from services.inference_async.screening import JUDGES, Screener
from services.inference_async.working import JobWorker
from services.predictors import PredictorSettings, caught_up, served

log = logging.getLogger(__name__)

EFFECTS_KEPT = timedelta(days=1)


class InferenceAsyncSettings(DenySettings, PredictorSettings):
    """Settings of this host."""

    screening_seconds: float = Field(15.0, gt=0, description="A model later than this is answered for by its default.")
    screening_notice_seconds: float = Field(
        1.0, gt=0, description="Objects, place and brightness that are later than this are left out."
    )
    max_body_bytes: int = Field(8 * 1024 * 1024, gt=0, description="Largest body of a job.")
    max_batch: int = Field(64, gt=0, description="Most rows in one request.")
    jobs_at_once: int = Field(2, ge=1, description="Jobs that one process works on at the same time.")
    jobs_most_open: int = Field(1000, ge=1, description="Most jobs without an answer; beyond, 429.")
    jobs_most_open_each: int = Field(200, ge=1, description="Most of them that belong to one user.")
    job_lease_seconds: float = Field(6.0, gt=0, description="How long a silent process keeps its jobs.")
    job_keep_seconds: float = Field(3600.0, gt=0, description="How long a job's result is kept.")
    job_patience_seconds: float = Field(
        60.0, ge=0, description="How long a job waits for a model that is not there before it takes the default."
    )
    callback_hosts: str = Field("", description="Hosts (`host` or `host:port`, comma-separated) that may be told.")
    callback_key_file: Path | None = Field(None, description="What callbacks are signed with.")

    @property
    def hosts(self) -> frozenset[str]:
        """The hosts as a set."""
        return frozenset(host.strip() for host in self.callback_hosts.split(",") if host.strip())

    @property
    def callback_key(self) -> bytes:
        """The key, read when it is needed."""
        return self.callback_key_file.read_bytes().strip() if self.callback_key_file else b""


def build(backends: Backends) -> Service:
    """The worker on these backends."""
    settings = InferenceAsyncSettings()
    service = Service(
        "inference-async",
        backends,
        summary="Predictions for later; screens every registered item.",
        max_body_bytes=settings.max_body_bytes,
    )
    predictors = served(service, settings, patience_seconds=settings.screening_seconds)
    if settings.models and (missing := [name for name in JUDGES if name not in predictors]):
        raise Unusable(f"MODELS={settings.models} leaves out {', '.join(missing)}, without which no item is screened.")
    judges = {name: predictors[name] for name in JUDGES if name in predictors}
    screener = Screener(
        predictors,
        backends.files,
        embedding_version=EMBEDDING_VERSION,
        denied=settings.deny_list,
        notice_seconds=settings.screening_notice_seconds,
    )
    answers = Answers(predictors, patience_seconds=settings.job_patience_seconds, max_batch=settings.max_batch)
    metrics, effects = ScreeningMetrics(service), Effects(backends.database)
    requested = Requested(answers, backends.files)

    @service.consumes(ItemRegistered)
    async def _registered(item: ItemRegistered, event: CloudEvent) -> None:
        async def screened() -> ItemScreened:
            if any(judge.version is None for judge in judges.values()):
                await caught_up(judges)
            with metrics.seconds.time():
                found = await screener.screen(item)
            metrics.count(item, found)
            told(found)
            return found

        await answered(event, screened)

    @service.consumes(PredictionRequested)
    async def _requested(asked: PredictionRequested, event: CloudEvent) -> None:
        age = (datetime.now(UTC) - event.time).total_seconds()
        await answered(event, lambda: requested.made(asked, event, age))

    async def answered(event: CloudEvent, make: Callable[[], Awaitable[EventData]]) -> None:
        """Publish the effect; a duplicate is answered with the same one, or not at all while that is on its way."""
        if effects.answered(event):
            return
        effect = await effects.of(event)
        if effect is None:
            effect = await effects.keep(event, effect_of(event, await make(), source="/inference-async"))
        await backends.bus.publish(effect)
        effects.sent(event)

    @service.every(600)
    async def _effects_forgotten() -> None:
        await effects.forget(EFFECTS_KEPT)

    job_metrics = JobMetrics(service.metrics.registry)
    offer_dead_letters(service, backends, job_metrics)
    offer_jobs(service, settings, answers, job_metrics)
    return service


def offer_jobs(service: Service, settings: InferenceAsyncSettings, answers: Answers, metrics: JobMetrics) -> None:
    """Jobs over HTTP, on their table."""
    if settings.hosts and not settings.callback_key:
        raise Unusable("CALLBACK_HOSTS names hosts to call, and CALLBACK_KEY_FILE no key to sign with.")
    database = service.backends.database
    jobs = Jobs(
        database,
        lease=timedelta(seconds=settings.job_lease_seconds),
        keep=timedelta(seconds=settings.job_keep_seconds),
        most=settings.jobs_most_open,
        most_each=settings.jobs_most_open_each,
    )
    worker = JobWorker(jobs, answers, metrics, at_once=settings.jobs_at_once, lease_seconds=settings.job_lease_seconds)
    changes = Changes(database, table="jobs", version="state", channel="jobs_changed")
    callbacks = Callbacks(database, service.backends.http, metrics, key=settings.callback_key, hosts=settings.hosts)
    desk = Desk(jobs, answers, worker, changes, callbacks, metrics)
    service.app.include_router(job_routes.routes(desk))
    for loop in (worker.hands.run, worker.hands.hold, changes.listen):
        service.background(loop)
    service.every(POLL_SECONDS)(changes.poll)

    if settings.hosts:

        @service.every(0.5)
        async def _callbacks() -> None:
            await callbacks.deliver_due(desk.written)

    @service.every(5)
    async def _jobs_swept() -> None:
        await jobs.forget()
        await metrics.look(jobs)


class ScreeningMetrics:
    """What is counted about screening."""

    def __init__(self, service: Service) -> None:
        registry = service.metrics.registry
        self.total = Counter("screened_total", "Items screened.", ["verdict"], registry=registry)
        self.seconds = Histogram(
            "screening_duration_seconds", "Time to screen an item.", buckets=LATENCY_BUCKETS, registry=registry
        )
        self.delay = Histogram(
            "screening_delay_seconds",
            "From registration to the verdict: grows when items wait.",
            buckets=(*LATENCY_BUCKETS, 30, 60, 300),
            registry=registry,
        )

    def count(self, item: ItemRegistered, screened: ItemScreened) -> None:
        """One more item has its verdict."""
        self.total.labels(screened.verdict).inc()
        self.delay.observe(max(0.0, (datetime.now(UTC) - item.registered_at).total_seconds()))


def told(screened: ItemScreened) -> None:
    """One line for each verdict."""
    log.info(
        "%s: %s",
        screened.item_id,
        screened.verdict,
        extra={
            "action": "item.screened",
            "item_id": screened.item_id,
            "revision": screened.revision,
            "reasons": ",".join(f"{reason.by}:{reason.label}" for reason in screened.reasons),
            "predictions": ",".join(str(used.prediction_id) for used in screened.models.values()),
        },
    )
