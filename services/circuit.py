"""Whether a model is left alone because it failed too often."""

from collections.abc import Callable

from services.prediction import CircuitOpen


class Circuit:
    """Closed: requests pass. Open: none does. Half-open: one does, and decides."""

    def __init__(
        self, failures: int, rest_seconds: float, clock: Callable[[], float], turned: Callable[[bool], None]
    ) -> None:
        self._most, self._rest, self._clock, self._turned = failures, rest_seconds, clock, turned
        self._failed, self._open_until, self.trying = 0, 0.0, False

    @property
    def rests(self) -> bool:
        """Whether a request would be refused now."""
        return self._failed >= self._most and (self.trying or self._clock() < self._open_until)

    def enter(self) -> bool:
        """Whether this request is the one that tries; raises CircuitOpen."""
        if self._failed < self._most:
            return False
        if self.rests:
            raise CircuitOpen(f"{self._failed} failures in a row")
        self.trying = True
        return True

    def note(self, *, failed: bool) -> None:
        """How a request ended."""
        self._failed = self._failed + 1 if failed else 0
        if self._failed >= self._most:
            self._open_until = self._clock() + self._rest
        self._turned(self._failed >= self._most)
