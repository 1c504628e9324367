"""Tells those who watch an item that it has changed: one database connection for all of them.

PostgreSQL notifies; once a second all watched items are also looked at in one query, so that a lost
notification costs a second and not the change.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from services.chassis.database import Database

log = logging.getLogger(__name__)

CHANNEL = "items_changed"
POLL_SECONDS = 1.0


class Changes:
    """The watched items of this process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._watchers: dict[UUID, set[asyncio.Event]] = defaultdict(set)
        self._seen: dict[UUID, int] = {}

    @contextmanager
    def watch(self, item_id: UUID) -> Iterator[asyncio.Event]:
        """An event that is set whenever the item has changed. Watch first, then read."""
        changed = asyncio.Event()
        self._watchers[item_id].add(changed)
        try:
            yield changed
        finally:
            self._watchers[item_id].discard(changed)
            if not self._watchers[item_id]:
                del self._watchers[item_id]
                self._seen.pop(item_id, None)

    @property
    def watched(self) -> list[UUID]:
        """The items somebody watches."""
        return list(self._watchers)

    async def listen(self) -> None:
        """Pass on what PostgreSQL tells, until cancelled."""
        while True:
            try:
                async with self._database.connection() as connection:
                    await connection.execute(f"LISTEN {CHANNEL}")
                    for item_id in self.watched:  # nobody told what changed before
                        self._wake(item_id)
                    async for notification in connection.notifies():
                        self._wake(UUID(notification.payload))
            except Exception as error:
                log.warning("not listening: %r", error, extra={"action": "changes.not_listening"})
            await asyncio.sleep(POLL_SECONDS)

    async def poll(self) -> None:
        """Look at all watched items; wake who watches one that is not as it was."""
        if not self._watchers:
            return
        async with self._database.connection() as connection:
            rows = await self._sequences(connection)
        for item_id, sequence in rows:
            if self._seen.get(item_id) != sequence:
                self._wake(item_id)
            if item_id in self._watchers:
                self._seen[item_id] = sequence

    async def _sequences(self, connection: Any) -> list[tuple[UUID, int]]:
        found = await connection.execute("SELECT id, sequence FROM items WHERE id = ANY(%s)", (self.watched,))
        return [(row["id"], row["sequence"]) for row in await found.fetchall()]

    def _wake(self, item_id: UUID) -> None:
        for changed in self._watchers.get(item_id, ()):
            changed.set()
