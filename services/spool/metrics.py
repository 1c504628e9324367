"""What the spool tells Prometheus. Its numbers are plain ones, read when somebody asks: appending costs no more."""

from collections.abc import Iterator

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from services.spool.shipping import Shipper
from services.spool.writer import Spool

REASONS = ("full", "disk", "too_large", "unreadable")


class SpoolMetrics(Collector):
    """Metrics of one host's spool. Replicas that share a folder tell the same of it: take the largest, not the sum."""

    def __init__(self, spool: Spool, shipper: Shipper) -> None:
        self._spool, self._shipper = spool, shipper

    def collect(self) -> Iterator[Metric]:
        """Everything, now."""
        yield CounterMetricFamily(
            "predictions_logged", "Predictions in the log before they were answered.", self._spool.logged
        )
        lost = CounterMetricFamily("predictions_not_logged", "Predictions answered but not logged.", labels=["reason"])
        for reason in REASONS:
            lost.add_metric([reason], self._spool.lost[reason])
        yield lost
        yield CounterMetricFamily("spool_segments_sent", "Segments the broker has acknowledged.", self._shipper.sent)
        number = GaugeMetricFamily("spool_segments", "Segments in the spool's folder.", labels=["state"])
        size = GaugeMetricFamily("spool_bytes", "Bytes in the spool's folder.", labels=["state"])
        for state, pile in self._shipper.holds.items():
            number.add_metric([state.lstrip(".")], pile.segments)
            size.add_metric([state.lstrip(".")], pile.bytes)
        yield from (number, size)
        yield GaugeMetricFamily(
            "spool_oldest_unsent_seconds",
            "Age of the oldest segment the broker does not have.",
            self._shipper.oldest_unsent_seconds,
        )
