"""Stores a batch of events, each exactly once, whenever this process or the broker is killed.

The files are written first, under names that nobody reads. One transaction of PostgreSQL then says which
files count, which events are in them, and what their senders are told. Killed before it, the events
come again and the files are orphans; killed after it, the events come again and are known by their ids.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.chassis import outbox
from services.chassis.database import Connection, Database
from services.chassis.ids import new_id
from services.contracts import CloudEvent, EventsStored, PredictionsLogged, SegmentStored, StoredEvent
from services.warehouse.duck import Duck
from services.warehouse.shelf import Begun, Shelf, Written, from_lines
from services.warehouse.tables import Table
from services.warehouse.taken import Taken

log = logging.getLogger(__name__)
SOURCE = "/warehouse"


@dataclass(frozen=True)
class Stored:
    """What became of a batch."""

    rows: Mapping[str, int]
    """By table."""
    duplicates: int


class StoredMeanwhile(Exception):
    """Another process has stored some of these events."""


class Keeping:
    """Puts events into files and says that they are there."""

    def __init__(self, database: Database, duck: Duck, shelf: Shelf, *, answers_everything: bool = False) -> None:
        self._database, self._duck, self._shelf = database, duck, shelf
        self._answers_everything = answers_everything
        self.writing: set[str] = set()
        """Files under their final names that the list does not have yet."""

    async def store(self, batch: Sequence[Taken]) -> Stored:
        """All of these, or none; what raises may be tried again."""
        fresh = await self._fresh(batch)
        written = await self._written(fresh) if fresh else []
        self.writing |= {file.path for file in written}
        try:
            await self._listed(batch, fresh, written)
        except Exception:
            # Maybe it did happen and only the answer was lost: then these must stay. Else they are orphans, for later.
            log.info("a batch is not listed", extra={"action": "batch.not_listed", "files": len(written)})
            raise
        finally:
            self.writing -= {file.path for file in written}
        return Stored({file.kind: file.rows for file in written}, len(batch) - len(fresh))

    async def _fresh(self, batch: Sequence[Taken]) -> list[Taken]:
        """Those that are not stored yet, each once."""
        by_id = {taken.event.id: taken for taken in batch}
        async with self._database.connection() as connection:
            found = await connection.execute("SELECT id FROM events WHERE id = ANY(%s)", (list(by_id),))
            known = {row["id"] for row in await found.fetchall()}
        return [taken for id, taken in by_id.items() if id not in known]

    async def _written(self, fresh: Sequence[Taken]) -> list[Written]:
        """A file a table, under its final name."""
        begun = await asyncio.to_thread(self._begun, fresh)
        try:
            await self._duck.ask(*(from_lines(file, table.columns) for table, file, _ in begun))
        except Exception:
            for _, file, _ in begun:
                file.given_up()
            raise
        return [await asyncio.to_thread(file.finish, rows) for _, file, rows in begun]

    def _begun(self, fresh: Sequence[Taken]) -> list[tuple[Table, Begun, int]]:
        found = []
        for table, several in by_table(fresh):
            file, rows = self._shelf.begun(table.name), sum(taken.rows for taken in several)
            file.write(taken.lines for taken in several)
            found.append((table, file, rows))
        return found

    async def _listed(self, batch: Sequence[Taken], fresh: Sequence[Taken], written: Sequence[Written]) -> None:
        """The one transaction: from here on the files count, and nothing in them comes in again."""
        async with self._database.connection() as connection, connection.transaction():
            await remember(connection, fresh)
            await list_files(connection, written, times_of(fresh))
            for event in self._effects(batch):
                await outbox.add(connection, event)

    def _effects(self, batch: Sequence[Taken]) -> list[CloudEvent]:
        """What the senders are told; also those who sent a second time, for they did not hear it the first time."""
        effects = [_segment_stored(taken) for taken in batch if taken.table.kind is PredictionsLogged]
        others = [taken.event for taken in batch if taken.table.kind is not PredictionsLogged]
        if not self._answers_everything or not others:
            return effects
        told = [StoredEvent(id=event.id, type=event.type, cause=event.causationid) for event in others]
        return [*effects, CloudEvent.of(EventsStored(batch_id=new_id(), events=told), source=SOURCE)]


def _segment_stored(taken: Taken) -> CloudEvent:
    """A segment's event has the segment's id, and its host is who sent it."""
    host = taken.event.source.lstrip("/")
    effect = SegmentStored(segment_id=taken.event.id, host=host, records=taken.rows)
    return CloudEvent.of(effect, source=SOURCE, cause=taken.event)


def by_table(fresh: Sequence[Taken]) -> list[tuple[Table, list[Taken]]]:
    """Those that have rows, by where they belong."""
    found: dict[str, list[Taken]] = defaultdict(list)
    for taken in fresh:
        if taken.rows:
            found[taken.table.name].append(taken)
    return [(several[0].table, several) for several in found.values()]


def times_of(fresh: Sequence[Taken]) -> dict[str, tuple[datetime, datetime]]:
    """The first and the last time of each table's events."""
    return {
        table.name: (min(one.event.time for one in several), max(one.event.time for one in several))
        for table, several in by_table(fresh)
    }


async def remember(connection: Connection, fresh: Sequence[Taken]) -> None:
    """Their ids; raises StoredMeanwhile where one is there already."""
    ids = [taken.event.id for taken in fresh]
    done = await connection.execute("INSERT INTO events (id) SELECT unnest(%s::uuid[]) ON CONFLICT DO NOTHING", (ids,))
    if done.rowcount != len(ids):
        raise StoredMeanwhile


async def list_files(
    connection: Connection, written: Sequence[Written], times: Mapping[str, tuple[datetime, datetime]]
) -> None:
    """From the end of the transaction on, readers read these."""
    async with connection.cursor() as cursor:
        await cursor.executemany(
            """
            INSERT INTO files (id, kind, path, rows, bytes, first_time, last_time)
            VALUES (%s, %s, %s, %s, %s, %s, %s)
            """,
            [(file.id, file.kind, file.path, file.rows, file.bytes, *times[file.kind]) for file in written],
        )
