"""The outbox on a real database: an event goes when its effect is back, and not before."""

from datetime import timedelta
from uuid import uuid4

import pytest

from services.chassis import outbox
from services.chassis.bus import BusUnavailable, MemoryBus
from services.chassis.database import Database
from services.chassis.metrics import Metrics
from services.contracts import CloudEvent, ItemIndexed, ItemLiked, ItemPublished, ItemScreened, PictureShown
from tests.conftest import MakeDatabase


@pytest.fixture
async def items(database: MakeDatabase) -> Database:
    return await database("items")


def relay(items: Database, bus: MemoryBus, late: float = 60) -> outbox.Relay:
    return outbox.Relay(items, bus, Metrics(), late=timedelta(seconds=late))


def liked() -> CloudEvent:
    data = ItemLiked(item_id=uuid4(), revision=1, sequence=1, user_id=uuid4(), liked=True, likes=1)
    return CloudEvent.of(data, source="/tests", requestid="a-request")


async def add(items: Database, *events: CloudEvent) -> None:
    async with items.connection() as connection, connection.transaction():
        for event in events:
            await outbox.add(connection, event)


async def waiting(items: Database) -> int:
    async with items.connection() as connection:
        row = await (await connection.execute("SELECT count(*) AS n FROM outbox")).fetchone()
    assert row
    return int(row["n"])


async def test_an_event_is_sent_and_kept_until_its_effect_is_back(items: Database, memory_bus: MemoryBus) -> None:
    event = liked()
    await add(items, event)
    assert await relay(items, memory_bus).send_due() == 1
    assert memory_bus.events(ItemLiked.type) == [event]
    assert await waiting(items) == 1

    effect = CloudEvent.of(
        ItemIndexed(item_id=uuid4(), revision=1, sequence=1, searchable=True, indexed_at=event.time),
        source="/tests",
        cause=event,
    )
    assert effect.requestid == "a-request"
    async with items.connection() as connection:
        assert await outbox.settle(connection, effect) is True
        assert await outbox.settle(connection, effect) is False
    assert await waiting(items) == 0


async def test_an_event_that_needs_no_effect_goes_once_it_is_sent(items: Database, memory_bus: MemoryBus) -> None:
    event = CloudEvent(source="/tests", type=ItemScreened.type, subject="x", data={})
    await add(items, event)
    await relay(items, memory_bus).send_due()
    assert await waiting(items) == 0


async def test_what_is_late_is_sent_again(items: Database, memory_bus: MemoryBus) -> None:
    await add(items, liked())
    sending = relay(items, memory_bus, late=0)
    assert [await sending.send_due() for _ in range(3)] == [1, 1, 1]
    assert len({event.id for event in memory_bus.events(ItemLiked.type)}) == 1
    assert len(memory_bus.events(ItemLiked.type)) == 3


async def test_behind_many_that_wait_nothing_is_sent_again_before_those_can_have_had_their_turn(
    items: Database, memory_bus: MemoryBus
) -> None:
    await add(items, *(liked() for _ in range(outbox.BATCH + 1)))
    async with items.connection() as connection:
        await connection.execute(
            "UPDATE outbox SET created_at = now() - interval '30 s', due_at = now() + interval '1 h'"
        )
    await add(items, liked())
    sending = relay(items, memory_bus)
    await sending.send_due()  # counts
    new = liked()
    await add(items, new)
    await sending.send_due()
    async with items.connection() as connection:
        found = await connection.execute("SELECT due_at - now() AS late FROM outbox WHERE id = %s", (new.id,))
        row = await found.fetchone()
    assert row
    assert timedelta(seconds=25) < row["late"] <= outbox.LATEST


async def test_a_rolled_back_change_tells_nobody(items: Database, memory_bus: MemoryBus) -> None:
    async def fails() -> None:
        async with items.connection() as connection, connection.transaction():
            await outbox.add(connection, liked())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fails()
    assert await relay(items, memory_bus).send_due() == 0


async def test_events_are_sent_in_the_order_they_were_written(items: Database, memory_bus: MemoryBus) -> None:
    events = [liked() for _ in range(20)]
    await add(items, *events)
    await relay(items, memory_bus).send_due()
    assert [event.id for event in memory_bus.events(ItemLiked.type)] == [event.id for event in events]


async def test_a_broker_that_is_away_loses_nothing(items: Database) -> None:
    class Away(MemoryBus):
        async def send(self, topic: str, key: str, value: bytes) -> None:
            raise BusUnavailable("away")

    await add(items, CloudEvent(source="/tests", type=ItemScreened.type, subject="x", data={}))
    await relay(items, Away()).send_due()
    assert await waiting(items) == 1


async def test_effects_of_many_come_back_together(items: Database) -> None:
    published = [CloudEvent(source="/tests", type=ItemPublished.type, subject="x", data={}) for _ in range(3)]
    await add(items, *published)
    indexed = [CloudEvent(source="/tests", type=ItemIndexed.type, causationid=event.id, data={}) for event in published]
    shown = [CloudEvent(source="/tests", type=PictureShown.type, causationid=event.id, data={}) for event in published]
    for effects, left in (([indexed[0], indexed[1], indexed[0]], 3), (shown, 1), (shown, 1), (indexed, 0)):
        async with items.connection() as connection, connection.transaction():
            await outbox.settle_all(connection, effects)
        assert await waiting(items) == left
