"""The bus in memory and the bus on a real broker are held to the same tests."""

import asyncio
import os
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest
from kafka.future import Future

from services.chassis.bus import Bus, BusUnavailable, MemoryBus, Message, Subscription
from services.chassis.kafka_bus import KafkaBus
from services.chassis.metrics import Metrics
from services.chassis.service import cancelled
from services.chassis.settings import Settings
from services.chassis.workers import Worker
from services.contracts import CloudEvent, ItemLiked, dead_letter_topic


@pytest.fixture(params=["memory", "kafka"])
async def bus(request: pytest.FixtureRequest) -> AsyncIterator[Bus]:
    if request.param == "memory":
        yield MemoryBus()
        return
    servers = request.getfixturevalue("kafka_servers")
    # Apache Kafka takes no session timeout below 6 s; the wheel's broker joins a group in half of it.
    timeout_ms = 6000 if "KAFKA_BOOTSTRAP_SERVERS" in os.environ else 2000
    made = KafkaBus(
        Settings(kafka_bootstrap_servers=servers, kafka_session_timeout_ms=timeout_ms, kafka_fetch_max_wait_ms=50)
    )
    yield made
    await made.close()


def liked(sequence: int = 1) -> CloudEvent:
    data = ItemLiked(item_id=uuid4(), revision=1, sequence=sequence, user_id=uuid4(), liked=True, likes=1)
    return CloudEvent.of(data, source="/tests")


async def read(subscription: Subscription, wanted: set[object]) -> list[Message]:
    """Poll until every wanted event id was seen."""
    found: list[Message] = []
    for _ in range(200):
        found += await subscription.poll()
        if wanted <= ids(found):
            return found
    raise AssertionError(f"missing {wanted - ids(found)}")


def ids(messages: list[Message]) -> set[object]:
    return {CloudEvent.model_validate_json(message.value).id for message in messages}


async def test_a_group_gets_what_was_published_before_it_came(bus: Bus) -> None:
    event = liked()
    await bus.publish(event)
    subscription = bus.subscribe([ItemLiked.type], f"group-{uuid4()}")
    try:
        messages = await read(subscription, {event.id})
    finally:
        await subscription.close()
    found = next(m for m in messages if CloudEvent.model_validate_json(m.value).id == event.id)
    assert (found.topic, found.key) == (ItemLiked.type, event.key)


async def test_bytes_of_nearly_a_megabyte_arrive_as_they_were_sent(bus: Bus) -> None:
    event = CloudEvent(source="/tests", type=ItemLiked.type, data={"records": [uuid4().hex for _ in range(25_000)]})
    value = event.model_dump_json().encode()
    assert 850_000 < len(value) < 1_000_000
    await bus.send(ItemLiked.type, event.key, value)
    subscription = bus.subscribe([ItemLiked.type], f"group-{uuid4()}")
    try:
        messages = await read(subscription, {event.id})
    finally:
        await subscription.close()
    assert next(message.value for message in messages if message.key == event.key) == value


async def test_what_was_not_committed_comes_again_and_what_was_does_not(bus: Bus) -> None:
    group = f"group-{uuid4()}"
    first, second = liked(), liked()
    await bus.publish(first)
    subscription = bus.subscribe([ItemLiked.type], group)
    await read(subscription, {first.id})
    await subscription.close()

    subscription = bus.subscribe([ItemLiked.type], group)
    await read(subscription, {first.id})
    await subscription.commit()
    await bus.publish(second)
    await subscription.close()

    subscription = bus.subscribe([ItemLiked.type], group)
    try:
        assert first.id not in ids(await read(subscription, {second.id}))
    finally:
        await subscription.close()


async def test_every_group_gets_every_event(bus: Bus) -> None:
    event = liked()
    await bus.publish(event)
    for group in (f"one-{uuid4()}", f"two-{uuid4()}"):
        subscription = bus.subscribe([ItemLiked.type], group)
        try:
            assert event.id in ids(await read(subscription, {event.id}))
        finally:
            await subscription.close()


async def test_events_of_one_key_stay_in_order(bus: Bus) -> None:
    item = uuid4()
    events = [
        CloudEvent.of(
            ItemLiked(item_id=item, revision=1, sequence=n, user_id=uuid4(), liked=True, likes=n), source="/tests"
        )
        for n in range(30)
    ]
    for event in events:
        await bus.publish(event)
    subscription = bus.subscribe([ItemLiked.type], f"group-{uuid4()}")
    try:
        messages = await read(subscription, {event.id for event in events})
    finally:
        await subscription.close()
    mine = [CloudEvent.model_validate_json(m.value).data["sequence"] for m in messages if m.key == str(item)]
    assert mine == list(range(30))


async def test_another_topic_can_be_named(bus: Bus) -> None:
    event = liked()
    topic = dead_letter_topic(ItemLiked.type)
    await bus.publish(event, topic)
    subscription = bus.subscribe([topic], f"group-{uuid4()}")
    try:
        assert event.id in ids(await read(subscription, {event.id}))
    finally:
        await subscription.close()


async def test_a_member_whose_heartbeat_stopped_joins_again(kafka_servers: str) -> None:
    timeout_ms = 6000 if "KAFKA_BOOTSTRAP_SERVERS" in os.environ else 2000
    bus = KafkaBus(Settings(kafka_bootstrap_servers=kafka_servers, kafka_session_timeout_ms=timeout_ms))
    subscription = bus.subscribe([ItemLiked.type], f"group-{uuid4()}")
    first, second = liked(), liked()
    try:
        await bus.publish(first)
        await read(subscription, {first.id})
        await subscription.commit()
        # What a broker that dies while it answers a heartbeat leaves behind.
        subscription._consumer._coordinator._disable_heartbeat()  # type: ignore[attr-defined]
        with pytest.raises(BusUnavailable):
            await read(subscription, {uuid4()})
        await bus.publish(second)
        assert first.id not in ids(await read(subscription, {second.id}))
    finally:
        await subscription.close()
        await bus.close()


async def test_a_member_whose_question_for_the_coordinator_is_lost_joins_again(kafka_servers: str) -> None:
    timeout_ms = 6000 if "KAFKA_BOOTSTRAP_SERVERS" in os.environ else 2000
    bus = KafkaBus(Settings(kafka_bootstrap_servers=kafka_servers, kafka_session_timeout_ms=timeout_ms))
    subscription = bus.subscribe([ItemLiked.type], f"group-{uuid4()}")
    first, second = liked(), liked()
    try:
        await bus.publish(first)
        await read(subscription, {first.id})
        await subscription.commit()
        # What a broker that dies before it answers that question leaves behind.
        coordinator = subscription._consumer._coordinator  # type: ignore[attr-defined]
        coordinator.coordinator_dead("away")
        coordinator._find_coordinator_future = Future()
        coordinator._subscription.assign_from_subscribed([])
        with pytest.raises(BusUnavailable):
            await read(subscription, {uuid4()})
        await bus.publish(second)
        assert first.id not in ids(await read(subscription, {second.id}))
    finally:
        await subscription.close()
        await bus.close()


async def test_a_model_slower_than_the_poll_interval_keeps_its_partitions(kafka_servers: str) -> None:
    """The handler takes longer than a consumer may be silent: the group hears of it all the same."""
    timeout_ms = 6000 if "KAFKA_BOOTSTRAP_SERVERS" in os.environ else 2000
    bus = KafkaBus(
        Settings(
            kafka_bootstrap_servers=kafka_servers,
            kafka_session_timeout_ms=timeout_ms,
            kafka_max_poll_interval_ms=timeout_ms,
            kafka_fetch_max_wait_ms=50,
        )
    )
    event, handled, slow = liked(), list[UUID](), timeout_ms / 1000 * 1.5

    async def handler(data: ItemLiked, found: CloudEvent) -> None:
        if found.id == event.id:
            handled.append(found.id)
            await asyncio.sleep(slow)

    group = f"group-{uuid4()}"
    members = [Worker(bus, group, {ItemLiked: handler}, Metrics(), concurrency=1) for _ in range(2)]
    tasks = [asyncio.create_task(member.run()) for member in members]
    try:
        await bus.publish(event)
        async with asyncio.timeout(60):
            while not handled:
                await asyncio.sleep(0.05)
            await asyncio.sleep(slow + timeout_ms / 1000)
        assert handled == [event.id]
    finally:
        await cancelled(tasks)
        await bus.close()
