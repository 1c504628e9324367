"""Tells those who watch a row that it has changed: one database connection for all of them.

PostgreSQL notifies; once a second all watched rows are also looked at in one query, so that a lost
notification costs a second and not the change.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, LiteralString, Protocol, TypeVar
from uuid import UUID

from services.chassis.database import Database

log = logging.getLogger(__name__)

POLL_SECONDS = 1.0


class Ends(Protocol):
    """A row to which some day nothing more happens."""

    @property
    def id(self) -> UUID:
        """The row's."""

    @property
    def ended(self) -> bool:
        """Whether nothing more happens to it."""


Row = TypeVar("Row", bound=Ends)


class Changes:
    """The watched rows of one table; `version` is the column (or expression) that changes with a row."""

    def __init__(
        self, database: Database, *, table: LiteralString, version: LiteralString, channel: LiteralString
    ) -> None:
        self._database = database
        self._versions: LiteralString = f"SELECT id, {version} AS version FROM {table} WHERE id = ANY(%s)"  # noqa: S608 (literals)
        self._channel: LiteralString = channel
        self._watchers: dict[UUID, set[asyncio.Event]] = defaultdict(set)
        self._seen: dict[UUID, Any] = {}

    @contextmanager
    def watch(self, row_id: UUID) -> Iterator[asyncio.Event]:
        """An event that is set whenever the row has changed. Watch first, then read."""
        changed = asyncio.Event()
        self._watchers[row_id].add(changed)
        try:
            yield changed
        finally:
            self._watchers[row_id].discard(changed)
            if not self._watchers[row_id]:
                del self._watchers[row_id]
                self._seen.pop(row_id, None)

    async def until_ended(self, row: Row, find: Callable[[UUID], Awaitable[Row | None]]) -> AsyncIterator[Row]:
        """The row as it is, and once more when it has ended; not again when it is gone by then."""
        yield row
        if row.ended:
            return
        with self.watch(row.id) as changed:
            while not row.ended:
                changed.clear()
                again = await find(row.id)
                if again is None:
                    return
                row = again
                if not row.ended:
                    await changed.wait()
        yield row

    @property
    def watched(self) -> list[UUID]:
        """The rows somebody watches."""
        return list(self._watchers)

    async def listen(self) -> None:
        """Pass on what PostgreSQL tells, until cancelled."""
        while True:
            try:
                async with self._database.connection() as connection:
                    await connection.execute(f"LISTEN {self._channel}")
                    for row_id in self.watched:  # nobody told what changed before
                        self._wake(row_id)
                    async for notification in connection.notifies():
                        self._wake(UUID(notification.payload))
            except Exception as error:
                log.warning("not listening: %r", error, extra={"action": "changes.not_listening"})
            await asyncio.sleep(POLL_SECONDS)

    async def poll(self) -> None:
        """Look at all watched rows; wake who watches one that is not as it was."""
        if not self._watchers:
            return
        async with self._database.connection() as connection:
            rows = await self._look(connection)
        for row_id, version in rows:
            if self._seen.get(row_id) != version:
                self._wake(row_id)
            if row_id in self._watchers:
                self._seen[row_id] = version

    async def _look(self, connection: Any) -> list[tuple[UUID, Any]]:
        found = await connection.execute(self._versions, (self.watched,))
        return [(row["id"], row["version"]) for row in await found.fetchall()]

    def _wake(self, row_id: UUID) -> None:
        for changed in self._watchers.get(row_id, ()):
            changed.set()
