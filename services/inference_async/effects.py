"""Remembers the effects of events: one that comes twice gets the same answer, not another opinion.

An event comes again when a process died after it had acted, or when its sender has not seen the effect
yet. The effect's id is made from its cause, so that even two processes that act at the same moment make
the same one; and it is kept, so that a duplicate costs a look and no prediction.
"""

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

from services.chassis.database import Database
from services.chassis.gathering import Gathered
from services.chassis.workers import passes_by_itself, sent_at
from services.contracts import CloudEvent, EventData

log = logging.getLogger(__name__)

AGAIN_AFTER_SECONDS = 5.0
"""A duplicate that was sent sooner after the effect is not answered: the answer was still on its way."""
MOST_REMEMBERED = 20_000
MOST_AT_ONCE = 256


def effect_of(cause: CloudEvent, data: EventData, *, source: str) -> CloudEvent:
    """The effect, with the same id whoever makes it."""
    made = CloudEvent.of(data, source=source, cause=cause)
    return made.model_copy(update={"id": uuid5(cause.id, data.type)})


class Effects:
    """What this process has sent lately, and what any has."""

    def __init__(self, database: Database, *, clock: Callable[[], float] = time.time) -> None:
        self._database, self._clock = database, clock
        self._sent: OrderedDict[UUID, float] = OrderedDict()
        self._look = Gathered(self._found, MOST_AT_ONCE)
        self._write = Gathered(self._written, MOST_AT_ONCE)

    def answered(self, cause: CloudEvent) -> bool:
        """Whether this process has sent the effect, and who sent this duplicate of it could not know that yet."""
        sent = self._sent.get(cause.id)
        return sent is not None and min(sent_at.get(), self._clock()) < sent + AGAIN_AFTER_SECONDS

    async def of(self, cause: CloudEvent) -> CloudEvent | None:
        """The effect of an event that was handled before, if that can be told."""
        try:
            event = await self._look.ask(cause.id)
        except Exception as error:
            self._untold(error)
            return None
        return CloudEvent.model_validate(event) if event else None

    async def keep(self, cause: CloudEvent, effect: CloudEvent) -> CloudEvent:
        """Before it is sent: whoever gets the event again sends this effect, and makes no other."""
        try:
            await self._write.ask((cause.id, effect.model_dump_json()))
        except Exception as error:
            self._untold(error)
        return effect

    def sent(self, cause: CloudEvent) -> None:
        """The broker has it."""
        self._sent[cause.id] = self._clock()
        self._sent.move_to_end(cause.id)
        while len(self._sent) > MOST_REMEMBERED:
            self._sent.popitem(last=False)

    async def forget(self, older: timedelta) -> None:
        """Drop what nobody will ask for again."""
        async with self._database.connection() as connection:
            await connection.execute("DELETE FROM effects WHERE made_at < now() - %s", (older,))

    async def _found(self, causes: Sequence[UUID]) -> list[dict[str, Any] | None]:
        async with self._database.connection() as connection:
            rows = await connection.execute(
                "SELECT cause_id, event FROM effects WHERE cause_id = ANY(%s)", (list(causes),)
            )
            known = {row["cause_id"]: row["event"] for row in await rows.fetchall()}
        return [known.get(cause) for cause in causes]

    async def _written(self, effects: Sequence[tuple[UUID, str]]) -> list[None]:
        async with self._database.connection() as connection, connection.cursor() as cursor:
            await cursor.executemany(
                "INSERT INTO effects (cause_id, event) VALUES (%s, %s::jsonb) ON CONFLICT DO NOTHING", effects
            )
        return [None] * len(effects)

    def _untold(self, error: Exception) -> None:
        """Without the table a duplicate is judged again, which costs time and changes nothing."""
        if not passes_by_itself(error):
            raise error
        log.warning("effects not kept: %r", error, extra={"action": "effects.away"})
