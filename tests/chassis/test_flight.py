"""Work ends in any order; positions are committed only as far as everything before them is done."""

import asyncio
from uuid import uuid4

from services.chassis.bus import MemoryBus, Message
from services.chassis.flight import Flight
from services.chassis.metrics import Metrics
from services.chassis.service import cancelled
from services.chassis.workers import AHEAD, Worker
from services.contracts import CloudEvent, ItemLiked

TOPIC = ItemLiked.type


def messages(*offsets: int, partition: int = 0) -> list[Message]:
    return [Message(TOPIC, "key", b"", partition, offset) for offset in offsets]


def test_what_is_done_out_of_order_is_committed_in_order() -> None:
    flight = Flight()
    first, second, third = messages(5, 6, 7)
    for message in (first, second, third):
        assert flight.take(message)
    flight.done(second)
    assert flight.committable() == {(TOPIC, 0): 5}
    flight.done(first)
    assert flight.committable() == {(TOPIC, 0): 7}
    flight.committed({(TOPIC, 0): 7})
    assert flight.committable() == {}
    flight.done(third)
    assert flight.committable() == {(TOPIC, 0): 8}
    assert len(flight) == 0


def test_a_partition_that_came_back_is_not_worked_on_twice() -> None:
    flight = Flight()
    (message,) = messages(3)
    assert flight.take(message)
    assert not flight.take(message)
    flight.done(message)
    assert flight.take(message)


def test_partitions_are_committed_each_for_itself_and_an_emptied_broker_begins_again() -> None:
    flight = Flight()
    for message in (*messages(10), *messages(4, partition=1)):
        flight.take(message)
        flight.done(message)
    assert flight.committable() == {(TOPIC, 0): 11, (TOPIC, 1): 5}
    flight.committed(flight.committable())
    (again,) = messages(0)
    flight.take(again)
    flight.done(again)
    assert flight.committable() == {(TOPIC, 0): 1}


def liked() -> CloudEvent:
    data = ItemLiked(item_id=uuid4(), revision=1, sequence=1, user_id=uuid4(), liked=True, likes=1)
    return CloudEvent.of(data, source="/tests")


async def test_a_slow_event_holds_up_its_position_and_nobody_else() -> None:
    bus, done = MemoryBus(), set[str]()
    events = [liked() for _ in range(20)]
    slow = asyncio.Event()

    async def handler(data: ItemLiked, event: CloudEvent) -> None:
        if event.id == events[0].id:
            await slow.wait()
        done.add(event.key)

    for event in events:
        await bus.publish(event)
    worker = asyncio.create_task(Worker(bus, "tests", {ItemLiked: handler}, Metrics(), concurrency=8).run())
    async with asyncio.timeout(10):
        while len(done) < 19:
            await asyncio.sleep(0.01)
        assert bus.positions["tests", TOPIC] == 0
        slow.set()
        while bus.positions["tests", TOPIC] != 20:
            await asyncio.sleep(0.01)
    await cancelled([worker])


async def test_no_more_is_taken_than_there_is_room_for() -> None:
    bus, begun = MemoryBus(), list[str]()
    slow = asyncio.Event()

    async def handler(data: ItemLiked, event: CloudEvent) -> None:
        begun.append(event.key)
        await slow.wait()

    for _ in range(40):
        await bus.publish(liked())
    working = Worker(bus, "tests", {ItemLiked: handler}, Metrics(), concurrency=2)
    task = asyncio.create_task(working.run())
    async with asyncio.timeout(10):
        while len(begun) < 2:
            await asyncio.sleep(0.01)
        assert len(working._flight) <= 2 * AHEAD
        slow.set()
        while len(begun) < 40:
            await asyncio.sleep(0.01)
    await cancelled([task])
