"""The log that services talk over, as a seam: Kafka at run time, memory in unit tests."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from services.contracts import CloudEvent

Place = tuple[str, int]
"""A partition of a topic."""
MOST = 32
"""Messages of one poll, unless told otherwise."""


class BusUnavailable(Exception):
    """The broker does not answer right now; nothing is lost, it is tried again."""


@dataclass(frozen=True)
class Message:
    """One record as it came from the broker."""

    topic: str
    key: str
    value: bytes
    partition: int = 0
    offset: int = -1
    at: float = 0.0
    """When it was sent, in seconds since 1970, if the broker says so."""

    @property
    def place(self) -> Place:
        """Where it lies."""
        return self.topic, self.partition


class Subscription(Protocol):
    """A member of a consumer group."""

    async def poll(self, most: int = MOST) -> Sequence[Message]:
        """The next messages, or none after a short while; raises BusUnavailable.

        With 0 nothing new comes, but the group hears that this member is there: a slow handler must not cost it
        its partitions.
        """
        ...

    async def commit(self, positions: Mapping[Place, int] | None = None) -> bool:
        """Everything before these positions is done with, or everything polled so far. False: not now."""
        ...

    async def close(self) -> None:
        """Leave the group."""
        ...


class Bus(Protocol):
    """Where events are published and consumed, at least once."""

    async def publish(self, event: CloudEvent, topic: str | None = None) -> None:
        """Returns once the broker has the event; raises BusUnavailable. The topic is the type unless given."""
        ...

    async def send(self, topic: str, key: str, value: bytes) -> None:
        """The same for an event that is bytes already; raises BusUnavailable."""
        ...

    def subscribe(self, topics: Sequence[str], group: str) -> Subscription:
        """Join a consumer group; what nobody of the group has committed is delivered."""
        ...

    async def close(self) -> None:
        """Flush and leave."""
        ...


class MemoryBus:
    """The bus of unit tests: one partition a topic, groups with committed positions."""

    def __init__(self) -> None:
        self.topics: dict[str, list[Message]] = defaultdict(list)
        self.positions: dict[tuple[str, str], int] = defaultdict(int)
        self.changed = asyncio.Condition()

    async def publish(self, event: CloudEvent, topic: str | None = None) -> None:
        """Append to the topic."""
        await self.send(topic or event.type, event.key, event.model_dump_json().encode())

    async def send(self, topic: str, key: str, value: bytes) -> None:
        """Append to the topic."""
        async with self.changed:
            self.topics[topic].append(Message(topic, key, value, offset=len(self.topics[topic])))
            self.changed.notify_all()

    def subscribe(self, topics: Sequence[str], group: str) -> Subscription:
        """Join a group that starts where it last committed."""
        return _MemorySubscription(self, topics, group)

    async def close(self) -> None:
        """Nothing to flush."""

    def events(self, topic: str) -> list[CloudEvent]:
        """Everything that was published on a topic, for tests to look at."""
        return [CloudEvent.model_validate_json(message.value) for message in self.topics[topic]]


class _MemorySubscription:
    def __init__(self, bus: MemoryBus, topics: Sequence[str], group: str) -> None:
        self._bus, self._topics, self._group = bus, topics, group
        self._at = {topic: bus.positions[group, topic] for topic in topics}

    async def poll(self, most: int = MOST) -> Sequence[Message]:
        async with self._bus.changed:
            if not (most and self._waiting()):
                try:
                    async with asyncio.timeout(0.2):
                        await self._bus.changed.wait_for(lambda: most and self._waiting())
                except TimeoutError:
                    return []
            found = [message for topic in self._topics for message in self._bus.topics[topic][self._at[topic] :]][:most]
            for message in found:
                self._at[message.topic] = message.offset + 1
            return found

    async def commit(self, positions: Mapping[Place, int] | None = None) -> bool:
        ends = self._at if positions is None else {topic: at for (topic, _), at in positions.items()}
        for topic, position in ends.items():
            self._bus.positions[self._group, topic] = position
        return True

    async def close(self) -> None:
        """Nothing to leave."""

    def _waiting(self) -> bool:
        return any(self._at[topic] < len(self._bus.topics[topic]) for topic in self._topics)
