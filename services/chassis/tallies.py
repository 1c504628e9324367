"""Counters and histograms for what happens ten thousand times a second: plain numbers, put in form when asked for.

They are counted in one thread, the event loop's, and need no lock. On /metrics they look like prometheus_client's.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString


class Count:
    """One number that grows."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0

    def inc(self) -> None:
        """One more."""
        self.value += 1


class Counts(Collector):
    """A counter with labels."""

    def __init__(self, name: str, about: str, labels: Sequence[str], *, registry: CollectorRegistry) -> None:
        self._about = name, about, labels
        self._children: dict[tuple[str, ...], Count] = {}
        registry.register(self)

    def labels(self, *values: str) -> Count:
        """The one for these values."""
        child = self._children.get(values)
        if child is None:
            child = self._children[values] = Count()
        return child

    def collect(self) -> Iterator[CounterMetricFamily]:
        """As it is shown."""
        name, about, labels = self._about
        family = CounterMetricFamily(name, about, labels=labels)
        for values, child in self._children.items():
            family.add_metric(values, child.value)
        yield family


class Timing:
    """How often something took how long."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds, self.counts, self.total = bounds, [0] * (len(bounds) + 1), 0.0

    def observe(self, seconds: float) -> None:
        """Once more."""
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.total += seconds


class Timings(Collector):
    """A histogram with labels."""

    def __init__(
        self, name: str, about: str, labels: Sequence[str], *, buckets: Sequence[float], registry: CollectorRegistry
    ) -> None:
        self._about = name, about, labels
        self._bounds, self._names = buckets, [*map(floatToGoString, buckets), "+Inf"]
        self._children: dict[tuple[str, ...], Timing] = {}
        registry.register(self)

    def labels(self, *values: str) -> Timing:
        """The one for these values."""
        child = self._children.get(values)
        if child is None:
            child = self._children[values] = Timing(self._bounds)
        return child

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """As it is shown."""
        name, about, labels = self._about
        family = HistogramMetricFamily(name, about, labels=labels)
        for values, child in self._children.items():
            family.add_metric(values, list(zip(self._names, accumulate(child.counts), strict=True)), child.total)
        yield family
