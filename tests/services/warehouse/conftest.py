"""A warehouse in a folder of the test, with real DuckDB and PostgreSQL."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from services.chassis.bus import Message
from services.chassis.database import Database
from services.contracts import CloudEvent
from services.warehouse.duck import Duck
from services.warehouse.keeping import Keeping
from services.warehouse.shelf import Shelf
from services.warehouse.tables import BY_NAME, TABLES
from services.warehouse.taken import Taken, taken_of
from services.warehouse.tidying import Order, Tidying
from services.warehouse.views import Question, Views
from services.warehouse.warehouse_metrics import WarehouseMetrics
from tests.conftest import MakeDatabase

LATER = datetime(2100, 1, 1, tzinfo=UTC)
EVER = datetime(2000, 1, 1, tzinfo=UTC)


def message(event: CloudEvent, offset: int = 0) -> Message:
    """As the broker hands it over."""
    return Message(event.type, event.key, event.model_dump_json().encode(), offset=offset)


def taken(events: Sequence[CloudEvent]) -> list[Taken]:
    """As they are taken."""
    return [taken_of(message(event), event, TABLES[event.type]) for event in events]


@dataclass
class Stage:
    """One warehouse. Whoever is killed is followed by another Keeping over the same folder and database."""

    database: Database
    duck: Duck
    shelf: Shelf
    keeping: Keeping

    def another(self, *, answers_everything: bool = False) -> Keeping:
        """The process after the one that died."""
        self.keeping = Keeping(self.database, self.duck, self.shelf, answers_everything=answers_everything)
        return self.keeping

    async def store(self, *events: CloudEvent) -> None:
        """Store them in one batch."""
        await self.keeping.store(taken(events))

    async def rows(self, table: str, sql: str = "SELECT * FROM {}") -> list[dict[str, Any]]:
        """What readers see of a table."""
        assert table in BY_NAME
        views = Views(self.database, self.duck, self.shelf)
        return await views.ask(Question([table], sql.format(table)), EVER, LATER)

    async def told(self) -> list[dict[str, Any]]:
        """The events that its senders are to be told."""
        async with self.database.connection() as connection:
            found = await connection.execute("SELECT event FROM outbox ORDER BY id")
            return [row["event"] for row in await found.fetchall()]

    def tidying(self, **order: Any) -> Tidying:
        """Somebody who puts the folder in order."""
        metrics = WarehouseMetrics(CollectorRegistry())
        return Tidying(self.database, self.duck, self.shelf, self.keeping, metrics, Order(**order))

    def files(self) -> list[str]:
        """Everything that lies in the folder."""
        found = (path for path in self.shelf.folder.rglob("*") if path.is_file())
        return sorted(str(path.relative_to(self.shelf.folder)) for path in found)


@pytest.fixture
async def stage(database: MakeDatabase, tmp_path: Path) -> AsyncIterator[Stage]:
    """A warehouse with nothing in it."""
    shelf, pool = Shelf(tmp_path / "warehouse"), await database("warehouse")
    duck = Duck(tmp_path / "scratch")
    yield Stage(pool, duck, shelf, Keeping(pool, duck, shelf))
    await duck.close()
