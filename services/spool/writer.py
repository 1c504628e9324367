"""The writing end of the spool: a record is on this machine before its prediction is answered.

One `os.write` a record, or one for all that are answered in the same turn of the event loop, into a
segment of this process alone: what was written outlives the process (not the machine: nothing waits
for the disk). An answer never fails for want of room: the record is counted as lost instead.
"""

import logging
import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from services.spool.segments import SEALED, create, moved

log = logging.getLogger(__name__)


class Spool:
    """Appends records to the open segment; called from one thread, the event loop's."""

    def __init__(
        self,
        folder: Path,
        *,
        segment_bytes: int = 768 * 1024,
        segment_seconds: float = 2.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.logged = 0
        self.lost: Counter[str] = Counter()
        self.left: float = float("inf")
        """Bytes until the folder is full, as far as anybody looked."""
        self.holding = False
        """Whether whoever answers says `flush` before the answers are sent."""
        self._held: list[bytes] = []
        self._segment_bytes, self._segment_seconds, self._clock = segment_bytes, segment_seconds, clock
        self._path: Path | None = None
        self._file = -1
        self._size = 0
        self._opened_at = 0.0
        self._trouble = ""

    def append(self, record: bytes) -> None:
        """Keep one more record, a line; never raises."""
        if self.holding:
            self._held.append(record)
        else:
            self._append(record)

    def flush(self) -> None:
        """Write what was held: in one go, or what does not fit or fails so, one by one; never raises."""
        held, self._held = self._held, []
        if len(held) > 1 and self._appended(held):
            return
        for record in held:
            self._append(record)

    def _appended(self, records: Sequence[bytes]) -> bool:
        """Whether all of them went into the open segment."""
        together = b"".join(records)
        size = self._size + len(together)
        if size > self._segment_bytes or self._file < 0 or len(together) > self.left or self._trouble:
            return False
        try:
            whole = os.write(self._file, together) == len(together)
        except OSError:
            whole = False
        if not whole:
            self._take_back()
            return False
        self._size = size
        self.left -= len(together)
        self.logged += len(records)
        return True

    def _append(self, record: bytes) -> None:
        try:
            size = self._size + len(record)
            if size > self._segment_bytes or self._file < 0 or len(record) > self.left:
                if not self._turned(len(record)):
                    return
                size = len(record)
            if os.write(self._file, record) != len(record):
                raise OSError("no space left for the whole record")
        except OSError as error:
            self._failed(error)
            return
        self._size = size
        self.left -= len(record)
        self.logged += 1
        if self._trouble:
            self._trouble = ""
            log.info("predictions are logged again", extra={"action": "spool.recovered"})

    def seal(self) -> None:
        """Complete the open segment: from now on it can be sent."""
        path, file, self._path, self._file, self._size = self._path, self._file, None, -1, 0
        if path is None:
            return
        try:
            moved(path, SEALED)
        except OSError as error:
            # Unlocked, it is taken for a dead one's.
            log.warning("not sealed: %r", error, extra={"action": "segment.not_sealed", "segment": path.name})
        finally:
            os.close(file)

    def seal_if_old(self) -> None:
        """Complete the open segment when it has been open long enough."""
        if self._path is not None and self._clock() - self._opened_at >= self._segment_seconds:
            self.seal()

    def refused(self, reason: str, detail: str = "") -> bool:
        """Count a record that is not kept, and say so once; always False."""
        self.lost[reason] += 1
        if self._trouble != reason:
            self._trouble = reason
            log.error("predictions are not logged: %s %s", reason, detail, extra={"action": "spool.lost"})
        return False

    def _turned(self, size: int) -> bool:
        """A segment with room for so much is open, unless there is none to be had."""
        if size > self._segment_bytes:
            return self.refused("too_large")
        if size > self.left:
            return self.refused("full")
        self.seal()
        self._path, self._file = create(self.folder)
        self._opened_at = self._clock()
        return True

    def _failed(self, error: OSError) -> None:
        """Take back what was written of the record, so that the next one begins a line."""
        self.refused("disk", repr(error))
        self._take_back()

    def _take_back(self) -> None:
        try:
            if self._file >= 0:
                os.ftruncate(self._file, self._size)
        except OSError:
            os.close(self._file)  # its torn end is dropped when it is adopted
            self._path, self._file, self._size = None, -1, 0
