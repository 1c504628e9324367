"""What is counted about quick and slow answers."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from services.chassis.metrics import LATENCY_BUCKETS


class ProxyMetrics:
    """By which predictor, and how it went: model, default, failed, cached."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._answers = Counter(
            "time_shifted_answers_total", "Answers, quick and slow.", ["which", "outcome"], registry=registry
        )
        self._seconds = Histogram(
            "time_shifted_seconds",
            "Time until the predictor had answered.",
            ["which"],
            buckets=(*LATENCY_BUCKETS, 30, 60),
            registry=registry,
        )
        self.waiting = Gauge("time_shifted_waiting", "Jobs without their slow answer.", registry=registry)

    def answered(self, which: str, served_by: str, seconds: float) -> None:
        """There is an answer."""
        self._answers.labels(which, served_by).inc()
        self._seconds.labels(which).observe(seconds)

    def failed(self, which: str) -> None:
        """There is none."""
        self._answers.labels(which, "failed").inc()

    def cached(self) -> None:
        """Both answers were there already."""
        for which in ("fast", "slow"):
            self._answers.labels(which, "cached").inc()
