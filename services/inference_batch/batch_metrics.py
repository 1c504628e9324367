"""What is counted about batch runs, by job."""

import contextlib
import time
from collections.abc import Iterator, Sequence
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from services.inference_batch.runs import Run

BUCKETS = (1, 5, 15, 60, 300, 900, 1800, 3600, 7200)


class BatchMetrics:
    """Of one process; `overdue` and `open` come from the table, so every process says the same."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._rows = Counter("batch_rows_total", "Rows worked on.", ["job", "outcome"], registry=registry)
        self._runs = Counter("batch_runs_total", "Runs ended.", ["job", "state"], registry=registry)
        self._seconds = Histogram(
            "batch_attempt_duration_seconds", "Time of one attempt.", ["job"], buckets=BUCKETS, registry=registry
        )
        self._open = Gauge("batch_runs_open", "Runs waiting or running.", ["job"], registry=registry)
        self._overdue = Gauge(
            "batch_runs_overdue", "Runs of the last day that missed their deadline.", ["job"], registry=registry
        )
        self._succeeded = Gauge(
            "batch_last_success_timestamp_seconds", "When a run was last done.", ["job"], registry=registry
        )

    def count(self, job: str, done: int, failed: int) -> None:
        """Rows of one chunk."""
        self._rows.labels(job, "done").inc(done)
        self._rows.labels(job, "failed").inc(failed)

    def ended(self, run: Run) -> None:
        """A run is over."""
        self._runs.labels(run.job, run.state).inc()

    def look(self, overview: Sequence[dict[str, Any]]) -> None:
        """Take over what the table says."""
        for row in overview:
            self._open.labels(row["job"]).set(row["open"])
            self._overdue.labels(row["job"]).set(row["overdue"])
            if row["succeeded_at"] is not None:
                self._succeeded.labels(row["job"]).set(float(row["succeeded_at"]))

    @contextlib.contextmanager
    def timed(self, job: str) -> Iterator[None]:
        """The time of one attempt."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self._seconds.labels(job).observe(time.perf_counter() - began)
