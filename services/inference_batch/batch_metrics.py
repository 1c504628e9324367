"""What is counted about batch runs, by job. It stands in the tables: it survives processes, and is the same in all."""

from collections.abc import Iterator, Sequence
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

STATES = ("done", "failed")


class BatchMetrics(Collector):
    """Shows what was last read from the tables (`look`)."""

    def __init__(self) -> None:
        self._jobs: Sequence[dict[str, Any]] = []

    def look(self, overview: Sequence[dict[str, Any]]) -> None:
        """Take over what `runs.overview` says."""
        self._jobs = overview

    def collect(self) -> Iterator[Metric]:
        """The families, one sample a job."""
        rows = CounterMetricFamily("batch_rows", "Rows worked on.", labels=["job", "outcome"])
        ended = CounterMetricFamily("batch_runs", "Runs ended.", labels=["job", "state"])
        for job in self._jobs:
            for state in STATES:
                rows.add_metric([job["job"], state], job[f"rows_{state}"])
                ended.add_metric([job["job"], state], job[f"runs_{state}"])
        yield rows
        yield ended
        yield self._gauge("batch_runs_open", "Runs waiting or running.", "open")
        yield self._gauge("batch_runs_overdue", "Runs of the last day that missed their deadline.", "overdue")
        yield self._gauge("batch_last_success_timestamp_seconds", "When a run was last done.", "succeeded_at")
        yield self._gauge("batch_last_run_seconds", "How long the last run that was done took.", "seconds")

    def _gauge(self, name: str, meaning: str, column: str) -> Metric:
        family = GaugeMetricFamily(name, meaning, labels=["job"])
        for job in self._jobs:
            if job[column] is not None:
                family.add_metric([job["job"]], float(job[column]))
        return family
