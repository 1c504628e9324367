"""Brings segments to the broker: seal, send as one event, keep until their time is over.

The event has the segment's id, so that whatever happens between the broker's acknowledgement and our
remembering it, the second one is recognised. Processes that share a folder share the work.
"""

import asyncio
import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import orjson

from services.chassis.bus import Bus, BusUnavailable
from services.contracts import CloudEvent, PredictionsLogged
from services.spool.segments import OPEN, SEALED, SENT, adopted, held, moved, segments, whole
from services.spool.settings import SpoolSettings
from services.spool.writer import Spool

log = logging.getLogger(__name__)

AT_ONCE = 16
BREATH = 3.0
LONGEST_BREATH = 1.0
"""Sending one segment is followed by so many times as long of doing nothing: answering comes first."""


SWEEP_SECONDS = 30.0
"""How often is looked at what was sent; it is much, and nothing hurries."""


@dataclass(frozen=True)
class Pile:
    """Segments in one state."""

    segments: int = 0
    bytes: int = 0

    def __add__(self, size: int) -> "Pile":
        return Pile(self.segments + 1, self.bytes + size)


class Shipper:
    """Sends what one folder holds."""

    def __init__(
        self,
        spool: Spool,
        bus: Bus | None,
        source: str,
        settings: SpoolSettings,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._spool, self._bus, self._source, self._settings, self._clock = spool, bus, source, settings, clock
        self.sent = 0
        self.holds = dict.fromkeys((OPEN, SEALED, SENT), Pile())
        self.oldest_unsent_seconds = 0.0
        self._waits = False
        self._sweep_at = 0.0

    async def turn(self) -> None:
        """Look at everything once."""
        self._spool.seal_if_old()
        await asyncio.to_thread(self._adopt)
        await self._measure()
        if self._bus is not None:
            await self._ship_all(self._bus)
        if self._clock() >= self._sweep_at:
            await asyncio.to_thread(self._sweep)
        await self._measure()

    async def _ship_all(self, bus: Bus) -> None:
        waiting = await asyncio.to_thread(segments, self._spool.folder, SEALED)
        for path in waiting[:AT_ONCE]:
            started = time.monotonic()
            if not await self._ship(path, bus):
                return
            await asyncio.sleep(min(LONGEST_BREATH, BREATH * (time.monotonic() - started)))

    async def _ship(self, path: Path, bus: Bus) -> bool:
        """Send one segment, unless another process is doing so. False when the broker is away."""
        with held(path) as file:
            if file is None:
                return True
            segment = UUID(path.stem)
            value = await asyncio.to_thread(_event, path, segment, self._source)
            try:
                await bus.send(PredictionsLogged.type, str(segment), value)
            except BusUnavailable as error:
                self._told(waits=True, why=str(error))
                return False
            self.holds[SENT] += os.fstat(file).st_size
            moved(path, SENT)
        self.sent += 1
        self._told(waits=False)
        return True

    def _told(self, *, waits: bool, why: str = "") -> None:
        if waits != self._waits:
            self._waits = waits
            words = f"the prediction log waits on disk: {why}" if waits else "the prediction log is being sent again"
            log.warning(words, extra={"action": "spool.waits" if waits else "spool.sends"})

    def _adopt(self) -> None:
        for path in segments(self._spool.folder, OPEN):
            if adopted(path):
                log.info("took over a segment", extra={"action": "segment.adopted", "segment": path.stem})

    def _sweep(self) -> None:
        """Delete what was sent and is too old or too much."""
        self._sweep_at = self._clock() + SWEEP_SECONDS
        most = self._settings.spool_max_bytes - self.holds[OPEN].bytes - self.holds[SEALED].bytes
        oldest, kept = self._clock() - self._settings.spool_keep_seconds, Pile()
        for path in reversed(segments(self._spool.folder, SENT)):
            size, changed = _stat(path)
            if kept.bytes + size > most or changed < oldest:
                path.unlink(missing_ok=True)
            else:
                kept += size
        self.holds[SENT] = kept

    async def _measure(self) -> None:
        await asyncio.to_thread(self._look)
        self._spool.left = self._settings.spool_max_bytes - self.holds[OPEN].bytes - self.holds[SEALED].bytes

    def _look(self) -> None:
        """What waits: how much, and since when."""
        oldest = now = self._clock()
        for state in (OPEN, SEALED):
            found = [_stat(path) for path in segments(self._spool.folder, state)]
            self.holds[state] = Pile(len(found), sum(size for size, _ in found))
            oldest = min([oldest, *(changed for _, changed in found)])
        self.oldest_unsent_seconds = now - oldest


def _stat(path: Path) -> tuple[int, float]:
    """Size, and when it last changed; nothing of what another process has just moved on."""
    try:
        stat = path.stat()
    except FileNotFoundError:
        return 0, float("inf")
    return stat.st_size, stat.st_mtime


def _event(path: Path, segment: UUID, source: str) -> bytes:
    """A segment as its CloudEvent. Its records are JSON already and are not looked at again."""
    records = b"[" + b",".join(whole(path.read_bytes())) + b"]"
    body = PredictionsLogged(segment_id=segment, host=source, records=[])
    event = CloudEvent.of(body, source=f"/{source}").model_copy(update={"id": segment})
    envelope = event.model_dump(mode="json")
    envelope["data"]["records"] = orjson.Fragment(records)
    return orjson.dumps(envelope)
