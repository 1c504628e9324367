"""Answers kept in memory for a while, within a bound of bytes."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from services.prediction import Prediction

OVERHEAD_BYTES = 1024
"""What an entry takes besides its tensors."""


@dataclass(frozen=True)
class _Kept:
    prediction: Prediction
    until: float
    size: int


class Answers:
    """The answers themselves; who was not asked for longest goes first."""

    def __init__(self, ttl_seconds: float, max_bytes: int, clock: Callable[[], float]) -> None:
        self._ttl, self._most, self._clock = ttl_seconds, max_bytes, clock
        self._kept: OrderedDict[bytes, _Kept] = OrderedDict()
        self.size = 0

    def find(self, key: bytes) -> Prediction | None:
        """The answer, if it is not too old."""
        kept = self._kept.get(key)
        if kept is None:
            return None
        if kept.until <= self._clock():
            self._drop(key)
            return None
        self._kept.move_to_end(key)
        return kept.prediction

    def keep(self, key: bytes, prediction: Prediction) -> None:
        """Remember it, and forget others until it fits."""
        size = OVERHEAD_BYTES + sum(array.nbytes for array in prediction.outputs.values())
        if key in self._kept:
            self._drop(key)
        if size > self._most:
            return
        self._kept[key] = _Kept(prediction, self._clock() + self._ttl, size)
        self.size += size
        while self.size > self._most:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: bytes) -> None:
        self.size -= self._kept.pop(key).size
