"""Keeps the folder in order: small files become one, old ones go, and what a killed process left is removed.

Readers may be reading a file that has just been replaced: it stays for a while, unlisted.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from services.chassis.database import Database
from services.warehouse.duck import Duck
from services.warehouse.keeping import Keeping
from services.warehouse.shelf import PARQUET, Shelf, Written, literal
from services.warehouse.warehouse_metrics import WarehouseMetrics

log = logging.getLogger(__name__)

SMALL = """
SELECT kind, date_trunc('day', first_time AT TIME ZONE 'UTC') AS day, count(*) AS several FROM files
WHERE replaced_at IS NULL AND bytes < %(bytes)s
GROUP BY kind, day HAVING count(*) >= %(several)s ORDER BY several DESC
"""
OF_A_DAY = """
SELECT id, path, rows, first_time, last_time FROM files
WHERE replaced_at IS NULL AND bytes < %(bytes)s AND kind = %(kind)s
  AND date_trunc('day', first_time AT TIME ZONE 'UTC') = %(day)s
ORDER BY id LIMIT %(most)s
"""


@dataclass(frozen=True)
class Order:
    """How the folder is to be."""

    several: int = 16
    """So many small files of a table and day become one."""
    small_bytes: int = 16 * 1024 * 1024
    keep: timedelta = timedelta(days=365)
    keep_predictions: timedelta = timedelta(days=90)
    keep_ids: timedelta = timedelta(days=30)
    grace_seconds: float = 300.0
    """How long a file stays that is no longer listed, or not yet."""


MOST = 200
"""Files that become one at a time."""


class ReplacedMeanwhile(Exception):
    """Another process has replaced one of these files."""


class Tidying:
    """Turns of putting in order; each is complete in itself, so that it may be cut off anywhere."""

    def __init__(
        self, database: Database, duck: Duck, shelf: Shelf, keeping: Keeping, metrics: WarehouseMetrics, order: Order
    ) -> None:
        self._database, self._duck, self._shelf, self._keeping = database, duck, shelf, keeping
        self._metrics, self._order = metrics, order

    async def turn(self) -> None:
        """Everything once."""
        await self.compact()
        await self.expire()
        await self.sweep()
        await self.measure()

    async def compact(self) -> int:
        """Make one file of many small ones, as long as there are such; returns how many became others."""
        replaced = 0
        async with self._database.connection() as connection:
            limits = {"bytes": self._order.small_bytes, "several": self._order.several}
            groups = await (await connection.execute(SMALL, limits)).fetchall()
        for group in groups:
            replaced += await self._compact(group["kind"], group)
        return replaced

    async def _compact(self, kind: str, group: Mapping[str, Any]) -> int:
        async with self._database.connection() as connection:
            values = {"bytes": self._order.small_bytes, "kind": kind, "day": group["day"], "most": MOST}
            files = await (await connection.execute(OF_A_DAY, values)).fetchall()
        if len(files) < self._order.several:
            return 0
        written = await self._merged(kind, files)
        self._keeping.writing.add(written.path)
        try:
            await self._replace(files, written)
        finally:
            self._keeping.writing.discard(written.path)
        log.info("files became one", extra={"action": "files.compacted", "table": kind, "files": len(files)})
        return len(files)

    async def _merged(self, kind: str, files: list[dict[str, Any]]) -> Written:
        """All their rows in one file, in the order they came in."""
        begun = self._shelf.begun(kind)
        paths = [str(self._shelf.place(file["path"])) for file in files]
        source = "read_parquet($1, union_by_name = true)"
        statement = f"COPY (SELECT * FROM {source}) TO {literal(begun.parquet)} ({PARQUET})"  # noqa: S608
        try:
            await self._duck.ask((statement, [paths]))
        except Exception:
            begun.given_up()
            raise
        return await asyncio.to_thread(begun.finish, sum(file["rows"] for file in files))

    async def _replace(self, files: list[dict[str, Any]], written: Written) -> None:
        """One transaction: readers see the many, or the one."""
        first, last = min(file["first_time"] for file in files), max(file["last_time"] for file in files)
        async with self._database.connection() as connection, connection.transaction():
            done = await connection.execute(
                "UPDATE files SET replaced_at = now() WHERE id = ANY(%s) AND replaced_at IS NULL",
                ([file["id"] for file in files],),
            )
            if done.rowcount != len(files):
                raise ReplacedMeanwhile
            await connection.execute(
                "INSERT INTO files (id, kind, path, rows, bytes, first_time, last_time) VALUES (%s,%s,%s,%s,%s,%s,%s)",
                (written.id, written.kind, written.path, written.rows, written.bytes, first, last),
            )

    async def expire(self) -> None:
        """What is too old no longer counts; ids are forgotten when nothing sends so late again."""
        values = {
            "keep": self._order.keep,
            "predictions": self._order.keep_predictions,
            "ids": self._order.keep_ids,
        }
        async with self._database.connection() as connection:
            await connection.execute(
                """
                UPDATE files SET replaced_at = now()
                WHERE replaced_at IS NULL AND last_time < now() -
                  CASE kind WHEN 'predictions' THEN %(predictions)s::interval ELSE %(keep)s::interval END
                """,
                values,
            )
            await connection.execute("DELETE FROM events WHERE stored_at < now() - %(ids)s::interval", values)

    async def sweep(self) -> int:
        """Remove files that are no longer listed, and those that never were; returns how many of the latter."""
        async with self._database.connection() as connection:
            gone = await connection.execute(
                "SELECT id, path FROM files WHERE replaced_at < now() - make_interval(secs => %s)",
                (self._order.grace_seconds,),
            )
            rows = await gone.fetchall()
            await asyncio.to_thread(self._shelf.removed, [row["path"] for row in rows])
            await connection.execute("DELETE FROM files WHERE id = ANY(%s)", ([row["id"] for row in rows],))
        return await self._sweep_orphans()

    async def _sweep_orphans(self) -> int:
        found = await asyncio.to_thread(lambda: set(self._shelf.finished(self._order.grace_seconds)))
        found -= self._keeping.writing
        async with self._database.connection() as connection:
            listed = await connection.execute("SELECT path FROM files WHERE path = ANY(%s)", (list(found),))
            orphans = found - {row["path"] for row in await listed.fetchall()}
        unfinished = list(self._shelf.left_behind(self._order.grace_seconds))
        await asyncio.to_thread(self._shelf.removed, orphans)
        for path in unfinished:
            path.unlink(missing_ok=True)
        self._metrics.orphans.inc(len(orphans) + len(unfinished))
        if orphans or unfinished:
            log.info("orphans removed", extra={"action": "orphans.removed", "files": len(orphans) + len(unfinished)})
        return len(orphans) + len(unfinished)

    async def measure(self) -> None:
        """How many files there are, and how large."""
        async with self._database.connection() as connection:
            found = await connection.execute(
                "SELECT kind, count(*) AS files, sum(bytes) AS bytes FROM files WHERE replaced_at IS NULL GROUP BY kind"
            )
            for row in await found.fetchall():
                self._metrics.files.labels(row["kind"]).set(row["files"])
                self._metrics.bytes.labels(row["kind"]).set(float(row["bytes"]))
