"""warehouse: every event and every prediction, once, as Parquet; and answers to questions about them."""

from datetime import timedelta
from pathlib import Path

from pydantic import Field

from services.chassis.backends import Backends
from services.chassis.service import Service
from services.chassis.settings import Settings
from services.warehouse.duck import Duck
from services.warehouse.keeping import Keeping
from services.warehouse.routes import routes
from services.warehouse.shelf import Shelf
from services.warehouse.taking import Limits, Taking
from services.warehouse.tidying import Order, Tidying
from services.warehouse.views import Views
from services.warehouse.warehouse_metrics import WarehouseMetrics

REST_SECONDS = 2.0


class WarehouseSettings(Settings):
    """Where the files are, how large they get, and how long they stay."""

    warehouse_dir: Path = Field(Path("/warehouse"), description="Folder of the files.")
    warehouse_flush_seconds: float = Field(2.0, gt=0, description="An event waits at most so long to be stored.")
    warehouse_batch_events: int = Field(2000, gt=0, description="So many events are stored at once, whatever the time.")
    warehouse_batch_bytes: int = Field(8 * 1024 * 1024, gt=0, description="The same, for their size.")
    warehouse_memory: str = Field("320MB", description="Most that DuckDB may use; beyond, it works on disk.")
    warehouse_idle_seconds: float = Field(20.0, gt=0, description="DuckDB's process ends when nobody asks for so long.")
    warehouse_tidy_seconds: float = Field(30.0, gt=0, description="How often the folder is put in order.")
    warehouse_compact_files: int = Field(16, ge=2, description="So many small files of a table and day become one.")
    warehouse_compact_bytes: int = Field(16 * 1024 * 1024, gt=0, description="What a small file is smaller than.")
    warehouse_keep_days: int = Field(365, gt=0, description="How long events are kept.")
    warehouse_keep_predictions_days: int = Field(90, gt=0, description="How long predictions are kept.")
    warehouse_keep_ids_days: int = Field(
        30,
        gt=0,
        description="How long an event is known again; a broker must not keep it for longer.",
    )


def build(backends: Backends) -> Service:
    """The warehouse on these backends."""
    settings = WarehouseSettings()
    database = backends.database
    service = Service("warehouse", backends, summary="Every event and every prediction, once, to be asked.")
    shelf, duck = Shelf(settings.warehouse_dir), _duck(settings)
    keeping = Keeping(database, duck, shelf, answers_everything=settings.kafka_forgets)
    metrics, relay = WarehouseMetrics(service.metrics.registry), service.relay()
    limits = Limits(settings.warehouse_flush_seconds, settings.warehouse_batch_events, settings.warehouse_batch_bytes)
    service.background(Taking(backends.bus, keeping, service.metrics, metrics, limits, stored=relay.wake).run)
    service.every(settings.warehouse_tidy_seconds)(
        Tidying(database, duck, shelf, keeping, metrics, _order(settings)).turn
    )
    service.every(REST_SECONDS)(duck.rest)
    service.app.include_router(routes(database, Views(database, duck, shelf), shelf))
    return service


def _duck(settings: WarehouseSettings) -> Duck:
    scratch = settings.warehouse_dir / "unfinished" / "duckdb"
    return Duck(scratch, settings.warehouse_memory, settings.warehouse_idle_seconds)


def _order(settings: WarehouseSettings) -> Order:
    return Order(
        several=settings.warehouse_compact_files,
        small_bytes=settings.warehouse_compact_bytes,
        keep=timedelta(days=settings.warehouse_keep_days),
        keep_predictions=timedelta(days=settings.warehouse_keep_predictions_days),
        keep_ids=timedelta(days=settings.warehouse_keep_ids_days),
    )
