"""Screens every registered item: model-load -> patterns -> a worker on the log."""

import logging
from datetime import UTC, datetime

from prometheus_client import Counter, Histogram
from pydantic import Field

from models.image_screening.contract import EMBEDDING_VERSION
from services.chassis.backends import Backends
from services.chassis.metrics import LATENCY_BUCKETS
from services.chassis.service import Service
from services.contracts import CloudEvent, ItemRegistered, ItemScreened
from services.inference_async.effects import Effects
from services.inference_async.screening import Screener
from services.predictors import PredictorSettings, caught_up, served

log = logging.getLogger(__name__)


class InferenceAsyncSettings(PredictorSettings):
    """Settings of this host."""

    screening_seconds: float = Field(15.0, gt=0, description="A model later than this is answered for by its default.")
    screening_denied_labels: str = Field(
        "", description="Labels, comma-separated, that no model decides on or shows by itself: a moderator looks."
    )

    @property
    def denied(self) -> frozenset[str]:
        """The labels as a set."""
        return frozenset(label.strip() for label in self.screening_denied_labels.split(",") if label.strip())


def build(backends: Backends) -> Service:
    """The worker on these backends."""
    settings = InferenceAsyncSettings()
    service = Service("inference-async", backends, summary="Screens every registered item.")
    predictors = served(service, settings, patience_seconds=settings.screening_seconds)
    screener = Screener(predictors, backends.files, embedding_version=EMBEDDING_VERSION, denied=settings.denied)
    metrics, effects = ScreeningMetrics(service), Effects()

    @service.consumes(ItemRegistered)
    async def _registered(item: ItemRegistered, event: CloudEvent) -> None:
        effect = effects.of(event)
        if effect is None:
            await caught_up(predictors)
            with metrics.seconds.time():
                screened = await screener.screen(item)
            effect = effects.keep(CloudEvent.of(screened, source="/inference-async", cause=event))
            metrics.count(item, screened)
            told(screened)
        await backends.bus.publish(effect)

    return service


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
