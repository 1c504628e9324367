"""A limit by rate: so many a second, and at most one second's worth at once."""

import time
from collections.abc import Callable


class TokenBucket:
    """Filled at a steady rate; 0 a second means no limit."""

    def __init__(self, per_second: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._clock = per_second, clock
        self._tokens, self._filled_at = per_second, clock()

    def take(self) -> bool:
        """Whether one more is within the limit."""
        if self._rate <= 0:
            return True
        now = self._clock()
        self._tokens = min(self._rate, self._tokens + (now - self._filled_at) * self._rate)
        self._filled_at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
