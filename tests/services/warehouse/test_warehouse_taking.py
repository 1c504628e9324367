"""The consumer: batches, bad events, weather, and what the broker is told and when."""

from collections.abc import Mapping, Sequence

import psycopg
import pytest
from prometheus_client import CollectorRegistry

from services.chassis.bus import BusUnavailable, MemoryBus, Message, Place
from services.chassis.metrics import Metrics
from services.contracts import DEAD_LETTER_REASON, CloudEvent
from services.warehouse.duck import NotDone
from services.warehouse.keeping import Keeping, Stored
from services.warehouse.taken import Taken
from services.warehouse.taking import Limits, Taking
from services.warehouse.warehouse_metrics import WarehouseMetrics
from tests.services.warehouse.events import liked, segment, shown


class Kept(Keeping):
    """Remembers what it was to store, and fails as told."""

    def __init__(self, *troubles: Exception) -> None:
        self.batches: list[list[Taken]] = []
        self.troubles = list(troubles)
        self.poison: set[str] = set()

    async def store(self, batch: Sequence[Taken]) -> Stored:
        if self.troubles:
            raise self.troubles.pop(0)
        if self.poison & {str(taken.event.id) for taken in batch}:
            raise NotDone("this one cannot be written")
        self.batches.append(list(batch))
        return Stored({}, 0)

    @property
    def ids(self) -> list[str]:
        return [str(taken.event.id) for batch in self.batches for taken in batch]


class Clock:
    """Time goes on when somebody says so."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


class Feed:
    """A subscription that gives what it is told to, or fails."""

    def __init__(self, *polls: Sequence[Message] | Exception) -> None:
        self.polls, self.committed = list(polls), list[Mapping[Place, int]]()

    async def poll(self, most: int = 32) -> Sequence[Message]:
        given = self.polls.pop(0) if self.polls and most else []
        if isinstance(given, Exception):
            raise given
        return given

    async def commit(self, positions: Mapping[Place, int] | None = None) -> bool:
        self.committed.append(positions or {})
        return True

    async def close(self) -> None:
        pass


def sent(event: CloudEvent, offset: int = 0) -> Message:
    return Message(event.type, event.key, event.model_dump_json().encode(), offset=offset)


class Consumer:
    """A Taking with nothing real around it."""

    def __init__(self, kept: Kept, limits: Limits | None = None) -> None:
        self.bus, self.kept, self.clock, self.pauses = MemoryBus(), kept, Clock(), list[float]()
        metrics = Metrics()
        self.metrics = metrics
        own = WarehouseMetrics(CollectorRegistry())

        async def pause(seconds: float) -> None:
            self.pauses.append(seconds)

        limits = limits or Limits(seconds=2.0)
        self.taking = Taking(self.bus, kept, metrics, own, limits, pause=pause, clock=self.clock)

    async def turns(self, feed: Feed, times: int = 1, each_seconds: float = 0.0) -> None:
        for _ in range(times):
            await self.taking.turn(feed)
            self.clock.now += each_seconds

    def dead(self, topic: str) -> list[CloudEvent]:
        return self.bus.events(f"{topic}.dead-letter")


async def test_events_are_gathered_until_the_oldest_has_waited_long_enough() -> None:
    consumer, first, second = Consumer(Kept()), liked(1), shown()
    feed = Feed([sent(first, 4)], [sent(second, 9)], [])
    await consumer.turns(feed, 2, each_seconds=1.0)
    assert consumer.kept.batches == []
    assert feed.committed == []
    assert consumer.taking.oldest_seconds() == 2.0
    await consumer.turns(feed)
    assert consumer.kept.ids == [str(first.id), str(second.id)]
    assert len(consumer.kept.batches) == 1
    assert feed.committed == [{("item.liked", 0): 5, ("search.shown", 0): 10}]
    assert consumer.taking.oldest_seconds() == 0.0


async def test_a_large_batch_does_not_wait() -> None:
    consumer = Consumer(Kept(), Limits(seconds=1000, events=2))
    await consumer.turns(Feed([sent(liked(1), 1), sent(liked(2), 2)]))
    assert len(consumer.kept.ids) == 2
    consumer = Consumer(Kept(), Limits(seconds=1000, bytes=100))
    await consumer.turns(Feed([sent(segment(), 1)]))
    assert len(consumer.kept.ids) == 1


@pytest.mark.parametrize("trouble", [psycopg.OperationalError("away"), OSError("disk full"), ConnectionError("gone")])
async def test_weather_is_waited_out_and_the_broker_told_afterwards(trouble: Exception) -> None:
    consumer = Consumer(Kept(*[trouble] * 20), Limits(seconds=0))
    feed = Feed([sent(liked(), 3)])
    await consumer.turns(feed)
    assert len(consumer.kept.ids) == 1
    assert len(consumer.pauses) == 20
    assert feed.committed == [{("item.liked", 0): 4}]


async def test_one_event_that_cannot_be_stored_takes_no_other_with_it() -> None:
    kept, good, bad = Kept(), [liked(1), liked(2)], shown()
    kept.poison.add(str(bad.id))
    consumer = Consumer(kept, Limits(seconds=0))
    feed = Feed([sent(good[0], 0), sent(bad, 0), sent(good[1], 1)])
    await consumer.turns(feed)
    assert kept.ids == [str(one.id) for one in good]
    (dead,) = consumer.dead("search.shown")
    assert dead.id == bad.id
    assert "cannot be written" in dead.data[DEAD_LETTER_REASON]
    assert feed.committed == [{("item.liked", 0): 2, ("search.shown", 0): 1}]


async def test_what_cannot_be_read_goes_to_the_dead_letters() -> None:
    consumer = Consumer(Kept(), Limits(seconds=0))
    torn = Message("item.liked", "key", b"{torn", offset=0)
    empty = liked().model_copy(update={"data": {"liked": "perhaps"}})
    log = segment(predictions=1)
    log.data["records"][0].pop("model")
    await consumer.turns(Feed([torn, sent(empty, 1), sent(log, 0), sent(shown(), 0)]))
    assert len(consumer.dead("item.liked")) == 2
    assert consumer.dead("item.liked")[0].data["unreadable"] == "{torn"
    assert len(consumer.dead("predictions.logged")) == 1
    assert len(consumer.kept.ids) == 1


async def test_what_was_taken_is_stored_although_the_broker_has_gone() -> None:
    consumer = Consumer(Kept(), Limits(seconds=2.0))
    feed = Feed([sent(liked(), 7)], BusUnavailable("gone"), BusUnavailable("gone"))
    await consumer.turns(feed, 3, each_seconds=1.0)
    assert len(consumer.kept.ids) == 1
    assert feed.committed == [{("item.liked", 0): 8}]


async def test_what_comes_while_it_waits_is_kept_for_the_next_batch() -> None:
    kept, late = Kept(psycopg.OperationalError("away")), liked(5)

    class Chatty(Feed):
        async def poll(self, most: int = 32) -> Sequence[Message]:
            return [sent(late, 1)] if not most else await super().poll(most)

    consumer = Consumer(kept, Limits(seconds=0))
    feed = Chatty([sent(liked(4), 0)])
    await consumer.turns(feed, 2)
    assert [len(batch) for batch in kept.batches] == [1, 1]
    assert feed.committed == [{("item.liked", 0): 1}, {("item.liked", 0): 2}]
