"""Brings segments to the broker: seal, send as one event, keep until their time is over.

The event has the segment's id, so that whatever happens between the broker's acknowledgement and our
remembering it, the second one is recognised. Processes that share a folder share the work.
"""

import asyncio
import logging
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


@dataclass(frozen=True)
class Held:
    """What the folder holds, by state."""

    segments: dict[str, int]
    bytes: dict[str, int]
    oldest_unsent_seconds: float = 0.0

    @property
    def unsent(self) -> int:
        """Bytes that must not be deleted."""
        return self.bytes[OPEN] + self.bytes[SEALED]


NOTHING = Held(dict.fromkeys((OPEN, SEALED, SENT), 0), dict.fromkeys((OPEN, SEALED, SENT), 0))


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
        self.holds = NOTHING
        self._waits = False

    async def turn(self) -> None:
        """Look at everything once."""
        self._spool.seal_if_old()
        await asyncio.to_thread(self._adopt)
        await self._measure()
        if self._bus is not None:
            await self._ship_all(self._bus)
        await asyncio.to_thread(self._forget)
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

    def _forget(self) -> None:
        """Delete what was sent and is too old or too much."""
        left = self._settings.spool_max_bytes - look(self._spool.folder, self._clock()).unsent
        oldest = self._clock() - self._settings.spool_keep_seconds
        for path in reversed(segments(self._spool.folder, SENT)):
            size, changed = _stat(path)
            left -= size
            if left < 0 or changed < oldest:
                path.unlink(missing_ok=True)

    async def _measure(self) -> None:
        self.holds = await asyncio.to_thread(look, self._spool.folder, self._clock())
        self._spool.left = self._settings.spool_max_bytes - self.holds.unsent


def look(folder: Path, now: float) -> Held:
    """What a folder holds."""
    found = {state: [_stat(path) for path in segments(folder, state)] for state in (OPEN, SEALED, SENT)}
    oldest = min((changed for state in (OPEN, SEALED) for _, changed in found[state]), default=now)
    return Held(
        {state: len(sizes) for state, sizes in found.items()},
        {state: sum(size for size, _ in sizes) for state, sizes in found.items()},
        max(0.0, now - oldest),
    )


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
