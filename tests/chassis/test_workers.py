"""A worker has three outcomes: done, try again, dead letter."""

from collections.abc import Awaitable, Callable
from uuid import UUID, uuid4

import pytest
from psycopg import OperationalError
from psycopg.errors import ProgramLimitExceeded

from services.chassis.bus import MemoryBus, Message
from services.chassis.metrics import Metrics
from services.chassis.workers import ATTEMPTS, Worker
from services.contracts import CloudEvent, ItemLiked, dead_letter_topic

DEAD = dead_letter_topic(ItemLiked.type)


def liked(item_id: UUID | None = None, sequence: int = 1) -> CloudEvent:
    data = ItemLiked(
        item_id=item_id or uuid4(), revision=1, sequence=sequence, user_id=uuid4(), liked=True, likes=sequence
    )
    return CloudEvent.of(data, source="/tests")


def message(event: CloudEvent) -> Message:
    return Message(event.type, event.key, event.model_dump_json().encode())


class Paused:
    """Notes how long the worker would have waited."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


def worker(bus: MemoryBus, handler: Callable[[ItemLiked, CloudEvent], Awaitable[None]], pause: Paused) -> Worker:
    return Worker(bus, "tests", {ItemLiked: handler}, Metrics(), pause=pause)


async def test_done_leaves_nothing_behind(memory_bus: MemoryBus) -> None:
    seen: list[ItemLiked] = []

    async def handler(data: ItemLiked, event: CloudEvent) -> None:
        seen.append(data)

    await worker(memory_bus, handler, Paused()).handle([message(liked())])
    assert len(seen) == 1
    assert memory_bus.events(DEAD) == []


async def test_weather_is_waited_out_however_long_it_lasts(memory_bus: MemoryBus) -> None:
    calls = 0

    async def handler(data: ItemLiked, event: CloudEvent) -> None:
        nonlocal calls
        calls += 1
        if calls < 20:
            raise OperationalError("the database is away")

    pause = Paused()
    await worker(memory_bus, handler, pause).handle([message(liked())])
    assert calls == 20
    assert len(pause.seconds) == 19
    assert memory_bus.events(DEAD) == []


async def test_an_event_that_keeps_failing_becomes_a_dead_letter_with_the_reason(memory_bus: MemoryBus) -> None:
    calls = 0

    async def handler(data: ItemLiked, event: CloudEvent) -> None:
        nonlocal calls
        calls += 1
        raise ZeroDivisionError("poison")

    event = liked()
    await worker(memory_bus, handler, Paused()).handle([message(event)])
    assert calls == ATTEMPTS
    (dead,) = memory_bus.events(DEAD)
    assert dead.id == event.id
    assert "poison" in dead.data["dead_letter_reason"]


async def test_a_limit_of_the_database_is_no_weather(memory_bus: MemoryBus) -> None:
    async def handler(data: ItemLiked, event: CloudEvent) -> None:
        raise ProgramLimitExceeded("word is too long to be indexed")

    await worker(memory_bus, handler, Paused()).handle([message(liked())])
    assert len(memory_bus.events(DEAD)) == 1


async def test_poison_does_not_hold_up_its_neighbours(memory_bus: MemoryBus) -> None:
    poison = uuid4()
    done: list[UUID] = []

    async def handler(data: ItemLiked, event: CloudEvent) -> None:
        if data.item_id == poison:
            raise ValueError("poison")
        done.append(data.item_id)

    good = [liked() for _ in range(5)]
    await worker(memory_bus, handler, Paused()).handle([message(liked(poison)), *map(message, good)])
    assert sorted(done) == sorted(UUID(event.key) for event in good)


async def test_events_of_one_key_are_handled_in_order(memory_bus: MemoryBus) -> None:
    item, order = uuid4(), []
    fails = iter([True, False, False, False])

    async def handler(data: ItemLiked, event: CloudEvent) -> None:
        if next(fails):
            raise OperationalError("away")
        order.append(data.sequence)

    events = [message(liked(item, sequence)) for sequence in (1, 2, 3)]
    await worker(memory_bus, handler, Paused()).handle(events)
    assert order == [1, 2, 3]


@pytest.mark.parametrize("value", [b"\xff\x00", b"{}", b'{"specversion": "1.0"}'])
async def test_what_is_no_event_goes_to_the_dead_letters(memory_bus: MemoryBus, value: bytes) -> None:
    async def handler(data: ItemLiked, event: CloudEvent) -> None:
        raise AssertionError("never called")

    await worker(memory_bus, handler, Paused()).handle([Message(ItemLiked.type, "key", value)])
    (dead,) = memory_bus.events(DEAD)
    assert dead.data["dead_letter_reason"]
