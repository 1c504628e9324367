"""Monitoring: keeps alerts, notes releases and training runs, and puts the notes on Grafana's graphs."""

import logging
from pathlib import Path

from prometheus_client import Counter, Gauge
from pydantic import Field

from services.chassis.backends import Backends
from services.chassis.service import Service
from services.chassis.settings import Settings
from services.monitoring import alerts, grafana, releases, training
from services.monitoring.alerts import Notification
from services.monitoring.grafana import Grafana
from services.monitoring.releases import Registry
from services.monitoring.routes import routes
from services.monitoring.training import Trainer

log = logging.getLogger(__name__)

MAX_NOTIFICATION_BYTES = 4 * 1024 * 1024


class MonitoringSettings(Settings):
    """Whom to follow, and where Grafana is."""

    mlflow_tracking_uri: str = Field("http://mlflow:8300", description="The registry whose champions are followed.")
    trainer_url: str = Field("http://trainer:8260", description="The service whose runs are noted.")
    grafana_url: str = Field("http://grafana:8370", description="Where annotations go; they wait until it is there.")
    grafana_password_file: Path = Field(
        Path("/run/keys/grafana"), description="File that holds the password of Grafana's administrator."
    )
    monitoring_follow_seconds: float = Field(5, description="How often to look for releases, runs and Grafana.")


def build(backends: Backends) -> Service:
    """Monitoring on these backends."""
    settings = MonitoringSettings()
    database, http = backends.database, backends.http
    service = Service(
        "monitoring",
        backends,
        summary="Alerts, releases and training runs: what happened when.",
        max_body_bytes=MAX_NOTIFICATION_BYTES,
    )
    metrics = MonitoringMetrics(service)
    registry, trainer = Registry(http, settings.mlflow_tracking_uri), Trainer(http, settings.trainer_url)
    notes = Grafana(http, settings.grafana_url.rstrip("/"), settings.grafana_password_file)
    service.app.include_router(routes(database, metrics.received))

    @service.every(settings.monitoring_follow_seconds)
    async def _releases() -> None:
        metrics.noted("release", await releases.follow(database, registry))

    @service.every(settings.monitoring_follow_seconds)
    async def _training() -> None:
        metrics.noted("training", await training.follow(database, trainer))

    @service.every(settings.monitoring_follow_seconds)
    async def _annotations() -> None:
        await grafana.send(database, notes, metrics.sent.inc)

    @service.every(settings.monitoring_follow_seconds)
    async def _firing() -> None:
        metrics.firing.set(await alerts.firing(database))

    return service


class MonitoringMetrics:
    """What is counted about what happened."""

    def __init__(self, service: Service) -> None:
        registry = service.metrics.registry
        self.alerts = Counter("alerts_received_total", "Alerts told.", ["alert", "status"], registry=registry)
        self.firing = Gauge("alerts_recorded_firing", "Alerts that fire, as they are kept.", registry=registry)
        self.notes = Counter("annotations_total", "Releases and training runs noted.", ["kind"], registry=registry)
        self.sent = Counter("annotations_sent_total", "Annotations that Grafana took.", registry=registry)

    def received(self, notification: Notification) -> None:
        """Alertmanager has told something."""
        for alert in notification.alerts:
            name = alert.labels.get("alertname", "")
            self.alerts.labels(name, alert.status).inc()
            log.info("%s %s", name, alert.status, extra={"action": "alert.received", "labels": alert.labels})

    def noted(self, kind: str, count: int) -> None:
        """So many new ones of a kind."""
        self.notes.labels(kind).inc(count)
