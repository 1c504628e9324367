"""What a consumer has taken and not finished: how far each partition may be committed, in whatever order work ends."""

from collections import defaultdict

from services.chassis.bus import Message, Place


class Flight:
    """Messages under way, by partition."""

    def __init__(self) -> None:
        self._open: dict[Place, set[int]] = defaultdict(set)
        self._next: dict[Place, int] = {}
        self._committed: dict[Place, int] = {}

    def __len__(self) -> int:
        return sum(map(len, self._open.values()))

    def take(self, message: Message) -> bool:
        """It is under way from now on; False when it already is (a partition went and came back meanwhile)."""
        if message.offset in self._open[message.place]:
            return False
        self._open[message.place].add(message.offset)
        self._next[message.place] = message.offset + 1
        return True

    def done(self, message: Message) -> None:
        """It has had its effect."""
        self._open[message.place].discard(message.offset)

    def committable(self) -> dict[Place, int]:
        """Where each partition would go on, where that is news: everything before it is done."""
        found = {place: min([at, *self._open[place]]) for place, at in self._next.items()}
        return {place: at for place, at in found.items() if self._committed.get(place) != at}

    def committed(self, positions: dict[Place, int]) -> None:
        """The broker knows."""
        self._committed.update(positions)
