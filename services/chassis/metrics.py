"""Metrics every service has: one registry a service, so that tests can build several in one process."""

import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector

from services.chassis.tallies import Counts, Timings

LIMIT = Path("/sys/fs/cgroup/memory.max")
DELAY_BUCKETS = (0.01, 0.05, 0.1, 0.5, 1, 5, 30, 300)
LATENCY_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


Metric = TypeVar("Metric", Counter, Gauge, Histogram)


class Metrics:
    """The registry of one service with what the chassis counts in it."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._made: dict[str, Any] = {}
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self.requests = Counts(
            "http_requests_total", "Requests answered.", ["method", "route", "status"], registry=self.registry
        )
        self.request_seconds = Timings(
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
        self.event_delay = Histogram(
            "event_delay_seconds",
            "From the making of an event to the moment it is taken: grows when a consumer lags.",
            ["topic"],
            buckets=DELAY_BUCKETS,
            registry=self.registry,
        )
        self.outbox_rows = Gauge("outbox_rows", "Events whose effect has not come back yet.", registry=self.registry)
        self.outbox_oldest = Gauge("outbox_oldest_seconds", "Age of the oldest of them.", registry=self.registry)
        self.ready = Gauge(
            "ready_check_ok", "1 while what the service needs is there.", ["check"], registry=self.registry
        )
        self._limits()

    def expect(self, topics: Iterable[str]) -> None:
        """Counters that begin at 0: the first of anything is an increase that can be seen."""
        for topic in topics:
            for outcome in ("done", "retried", "dead_letter"):
                self.events.labels(topic, outcome)

    def made(self, kind: type[Metric], name: str, about: str, labels: Sequence[str]) -> Metric:
        """The metric of that name; made when it is first asked for, so that several models share it."""
        if name not in self._made:
            self._made[name] = kind(name, about, labels, registry=self.registry)
        metric: Metric = self._made[name]
        return metric

    def _limits(self) -> None:
        memory = Gauge("memory_limit_bytes", "Memory this service may use.", registry=self.registry)
        memory.set_function(memory_limit)
        free = Gauge("disk_free_bytes", "Left on the disk that this service works on.", registry=self.registry)
        free.set_function(lambda: shutil.disk_usage(".").free)
        size = Gauge("disk_size_bytes", "Size of that disk.", registry=self.registry)
        size.set_function(lambda: shutil.disk_usage(".").total)


def memory_limit(limit: Path = LIMIT) -> float:
    """The container's limit, or all that the machine has."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        return float(min(int(limit.read_text()), machine))
    except (OSError, ValueError):  # no such file, or `max`
        return float(machine)
