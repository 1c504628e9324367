"""Remembers the last effects: an event that comes twice gets the same answer, not another opinion."""

from collections import OrderedDict
from uuid import UUID

from services.contracts import CloudEvent


class Effects:
    """Effects by the event that caused them; the oldest are forgotten."""

    def __init__(self, most: int = 1024) -> None:
        self._effects: OrderedDict[UUID, CloudEvent] = OrderedDict()
        self._most = most

    def of(self, cause: CloudEvent) -> CloudEvent | None:
        """The effect of an event that was handled before."""
        return self._effects.get(cause.id)

    def keep(self, effect: CloudEvent) -> CloudEvent:
        """Remember an effect, and return it."""
        if effect.causationid:
            self._effects[effect.causationid] = effect
        while len(self._effects) > self._most:
            self._effects.popitem(last=False)
        return effect
