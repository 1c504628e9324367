"""Metrics every service has: one registry a service, so that tests can build several in one process."""

from collections.abc import Sequence
from typing import Any, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector

LATENCY_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


Metric = TypeVar("Metric", Counter, Gauge, Histogram)


class Metrics:
    """The registry of one service with what the chassis counts in it."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._made: dict[str, Any] = {}
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self.requests = Counter(
            "http_requests_total", "Requests answered.", ["method", "route", "status"], registry=self.registry
        )
        self.request_seconds = Histogram(
            "http_request_duration_seconds",
            "Time to answer a request.",
            ["method", "route"],
            buckets=LATENCY_BUCKETS,
            registry=self.registry,
        )
        self.events = Counter(
            "events_handled_total",
            "Events taken from the broker, by outcome: done, retried, dead_letter.",
            ["topic", "outcome"],
            registry=self.registry,
        )
        self.event_seconds = Histogram(
            "event_duration_seconds",
            "Time to handle an event.",
            ["topic"],
            buckets=LATENCY_BUCKETS,
            registry=self.registry,
        )
        self.published = Counter(
            "events_published_total", "Events the broker has acknowledged.", ["topic"], registry=self.registry
        )
        self.outbox_rows = Gauge("outbox_rows", "Events whose effect has not come back yet.", registry=self.registry)

    def made(self, kind: type[Metric], name: str, about: str, labels: Sequence[str]) -> Metric:
        """The metric of that name; made when it is first asked for, so that several models share it."""
        if name not in self._made:
            self._made[name] = kind(name, about, labels, registry=self.registry)
        metric: Metric = self._made[name]
        return metric
