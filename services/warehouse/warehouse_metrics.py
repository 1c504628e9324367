"""What the warehouse tells Prometheus besides what the chassis does."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from services.chassis.metrics import LATENCY_BUCKETS
from services.warehouse.keeping import Stored
from services.warehouse.tables import BY_NAME


class WarehouseMetrics:
    """Rows, files, and how far behind."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.rows = Counter("warehouse_rows_total", "Rows stored.", ["table"], registry=registry)
        self.duplicates = Counter(
            "warehouse_duplicates_total", "Events that came again and were known.", registry=registry
        )
        self.seconds = Histogram(
            "warehouse_batch_seconds", "Time to store a batch.", buckets=LATENCY_BUCKETS, registry=registry
        )
        self.waiting = Gauge(
            "warehouse_oldest_waiting_seconds",
            "How long the oldest event that was taken and is not stored has waited.",
            registry=registry,
        )
        self.files = Gauge("warehouse_files", "Files that are read.", ["table"], registry=registry)
        self.bytes = Gauge("warehouse_bytes", "Size of these files.", ["table"], registry=registry)
        self.orphans = Counter(
            "warehouse_orphans_total", "Files removed that a killed process had left.", registry=registry
        )
        for table in BY_NAME:
            self.rows.labels(table)

    def stored(self, stored: Stored) -> None:
        """A batch is in."""
        self.duplicates.inc(stored.duplicates)
        for table, rows in stored.rows.items():
            self.rows.labels(table).inc(rows)
