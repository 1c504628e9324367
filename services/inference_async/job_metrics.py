"""What is counted about jobs and who is told of their end."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from services.chassis.metrics import LATENCY_BUCKETS
from services.inference_async.jobs import Jobs

STATES = ("waiting", "running", "done", "failed")


class JobMetrics:
    """Jobs, their answers, their callbacks. What is in the database every replica tells alike: take the largest."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.asked = Counter("jobs_asked_total", "Jobs accepted.", ["model"], registry=registry)
        self.ended = Counter("jobs_ended_total", "Jobs ended, done or failed.", ["model", "outcome"], registry=registry)
        self.retries = Counter("job_retries_total", "Attempts that have to be repeated.", ["model"], registry=registry)
        self.seconds = Histogram(
            "job_attempt_duration_seconds",
            "Time of one attempt.",
            ["model"],
            buckets=LATENCY_BUCKETS,
            registry=registry,
        )
        self.defaults = Counter(
            "job_defaults_total",
            "Times somebody who waited no longer was given the default; the job went on.",
            ["model"],
            registry=registry,
        )
        self.jobs = Gauge("jobs", "Jobs in the database.", ["state"], registry=registry)
        self.oldest = Gauge("jobs_oldest_open_seconds", "Age of the oldest job without an answer.", registry=registry)
        self.callbacks = Counter(
            "callbacks_total", "Callbacks tried: delivered, retried, given_up.", ["outcome"], registry=registry
        )
        self.dead_letters = Gauge("dead_letters", "Dead letters nobody replayed yet.", ["topic"], registry=registry)

    async def look(self, jobs: Jobs) -> None:
        """Count what is in the database."""
        counts, oldest = await jobs.counted()
        for state in STATES:
            self.jobs.labels(state).set(counts.get(state, 0))
        self.oldest.set(oldest)
