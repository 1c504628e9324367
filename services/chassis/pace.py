"""How soon a consumer asks the broker again: at once while little comes, a moment later while much does.

What is asked for a moment later comes together: each time it is asked, broker and consumer work as hard for one message
as for fifty.
"""

import time
from collections import deque
from collections.abc import Callable

WINDOW_SECONDS = 1.0
MUCH = 20
"""Messages within the window."""


class Pace:
    """Of one consumer."""

    def __init__(self, gather_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._gather_seconds, self._clock = gather_seconds, clock
        self._came: deque[tuple[float, int]] = deque()
        self._asked_at = 0.0

    def came(self, count: int, *, full: bool) -> None:
        """So many messages came when it asked; `full` when there may be more at once."""
        now = self._clock()
        self._asked_at = 0.0 if full else now
        if count:
            self._came.append((now, count))

    def pause(self) -> float:
        """Seconds until it should ask again."""
        now = self._clock()
        while self._came and self._came[0][0] < now - WINDOW_SECONDS:
            self._came.popleft()
        if sum(count for _, count in self._came) < MUCH:
            return 0.0
        return max(0.0, self._asked_at + self._gather_seconds - now)
