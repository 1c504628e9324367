"""Gives a host its spool: the one call that a host of models makes for its prediction log."""

from services.chassis.service import Service
from services.spool.metrics import SpoolMetrics
from services.spool.settings import SpoolSettings
from services.spool.shipping import Shipper
from services.spool.writer import Spool

EVERY_SECONDS = 0.5


def spooling(service: Service, settings: SpoolSettings | None = None) -> Spool | None:
    """The host's spool, sent as long as the service runs; None where no folder is configured."""
    settings = settings or SpoolSettings()
    if settings.spool_dir is None:
        return None
    spool = Spool(
        settings.spool_dir,
        segment_bytes=settings.spool_segment_bytes,
        segment_seconds=settings.spool_segment_seconds,
    )
    service.turn.keeper = spool
    shipper = Shipper(spool, service.backends.maybe_bus, service.name, settings)
    service.metrics.registry.register(SpoolMetrics(spool, shipper))
    service.every(EVERY_SECONDS)(shipper.turn)
    return spool
