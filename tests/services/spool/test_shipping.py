"""Segments reach the broker once by id, wait while it is away, and go when their time is over."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from prometheus_client import CollectorRegistry

from services.chassis.bus import BusUnavailable, MemoryBus
from services.contracts import CloudEvent, PredictionsLogged
from services.spool.metrics import SpoolMetrics
from services.spool.segments import OPEN, SEALED, SENT, create, held, segments
from services.spool.settings import SpoolSettings
from services.spool.shipping import SWEEP_SECONDS, Shipper
from services.spool.writer import Spool

TOPIC = PredictionsLogged.type
NOW = time.time()


class Weather(MemoryBus):
    """A bus whose broker may be away, or lose its acknowledgement on the way."""

    away = False
    deaf = False

    async def send(self, topic: str, key: str, value: bytes) -> None:
        if self.away:
            raise BusUnavailable("away")
        await super().send(topic, key, value)
        if self.deaf:
            raise BusUnavailable("the acknowledgement was lost")


@pytest.fixture
def bus() -> Weather:
    return Weather()


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path, segment_bytes=30, segment_seconds=0)


class Clock:
    """A clock that tests turn."""

    now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def shipper(spool: Spool, bus: Weather, clock: Clock) -> Callable[..., Shipper]:
    def made(**settings: float) -> Shipper:
        return Shipper(spool, bus, "inference-sync", SpoolSettings(**settings), clock=clock)  # type: ignore[arg-type]

    return made


def append(spool: Spool, *numbers: int) -> None:
    for number in numbers:
        spool.append(b'{"id":%d}\n' % number)


def ids(bus: MemoryBus) -> list[int]:
    return [record["id"] for event in bus.events(TOPIC) for record in event.data["records"]]


async def test_a_segment_becomes_one_event_with_its_id(
    spool: Spool, bus: Weather, shipper: Callable[..., Shipper]
) -> None:
    append(spool, 1, 2)
    await shipper().turn()
    (event,), (path,) = bus.events(TOPIC), segments(spool.folder, SENT)
    assert event.id == UUID(path.stem) == UUID(event.data["segment_id"]) == UUID(event.key)
    assert (event.source, event.type) == ("/inference-sync", "predictions.logged")
    assert PredictionsLogged.model_validate(event.data).records == [{"id": 1}, {"id": 2}]
    assert CloudEvent.model_validate_json(bus.topics[TOPIC][0].value) == event


async def test_all_is_sent_in_order_and_nothing_twice(
    spool: Spool, bus: Weather, shipper: Callable[..., Shipper]
) -> None:
    append(spool, *range(9))
    ships = shipper()
    await ships.turn()
    await ships.turn()
    assert ids(bus) == list(range(9))
    assert ships.sent == len(bus.events(TOPIC)) == 3


async def test_while_the_broker_is_away_segments_wait(
    spool: Spool, bus: Weather, shipper: Callable[..., Shipper]
) -> None:
    ships, bus.away = shipper(), True
    append(spool, 1, 2, 3, 4)
    await ships.turn()
    assert len(segments(spool.folder, SEALED)) == 2
    append(spool, 5)
    bus.away = False
    await ships.turn()
    assert ids(bus) == [1, 2, 3, 4, 5]
    assert segments(spool.folder, SEALED) == []


async def test_after_a_lost_acknowledgement_the_second_event_has_the_same_id(
    spool: Spool, bus: Weather, shipper: Callable[..., Shipper]
) -> None:
    ships, bus.deaf = shipper(), True
    append(spool, 1)
    await ships.turn()
    bus.deaf = False
    await ships.turn()
    first, second = bus.events(TOPIC)
    assert first.id == second.id
    assert first.data == second.data


async def test_what_a_dead_process_left_is_sent_too(
    spool: Spool, bus: Weather, shipper: Callable[..., Shipper]
) -> None:
    path, file = create(spool.folder)
    os.write(file, b'{"id":7}\n{"id":8,"mod')
    os.close(file)
    await shipper().turn()
    (event,) = bus.events(TOPIC)
    assert event.id == UUID(path.stem)
    assert ids(bus) == [7]


async def test_a_segment_that_another_process_is_sending_is_left_alone(
    spool: Spool, bus: Weather, shipper: Callable[..., Shipper]
) -> None:
    append(spool, 1)
    spool.seal()
    (path,) = segments(spool.folder, SEALED)
    with held(path):
        await shipper().turn()
    assert ids(bus) == []
    assert path.exists()


async def test_what_was_sent_is_kept_for_its_time(spool: Spool, shipper: Callable[..., Shipper], clock: Clock) -> None:
    ships = shipper(spool_keep_seconds=100)
    append(spool, 1)
    await ships.turn()
    (path,) = segments(spool.folder, SENT)
    os.utime(path, (NOW, NOW))
    clock.now = NOW + 99
    await ships.turn()
    assert path.exists()
    clock.now = NOW + 99 + SWEEP_SECONDS
    await ships.turn()
    assert not path.exists()


async def test_what_was_sent_goes_oldest_first_when_there_is_too_much(
    spool: Spool, shipper: Callable[..., Shipper], clock: Clock
) -> None:
    ships = shipper(spool_max_bytes=60)
    for turn in range(4):
        append(spool, *range(turn * 10, turn * 10 + 2))
        clock.now += SWEEP_SECONDS
        await ships.turn()
    kept = segments(spool.folder, SENT)
    assert sum(path.stat().st_size for path in kept) <= 60
    assert b"30" in kept[-1].read_bytes()


async def test_unsent_segments_are_never_deleted_and_the_log_stops_when_they_fill_the_folder(
    spool: Spool, bus: Weather, shipper: Callable[..., Shipper]
) -> None:
    ships, bus.away = shipper(spool_max_bytes=60), True
    append(spool, 1, 2, 3, 4)
    await ships.turn()
    append(spool, *range(5, 12))
    await ships.turn()
    append(spool, 12)
    assert spool.lost["full"] > 0
    bus.away = False
    await ships.turn()
    append(spool, 13)
    await ships.turn()
    found = ids(bus)
    assert found[:4] == [1, 2, 3, 4]
    assert found[-1] == 13
    assert len(found) == spool.logged


async def test_without_a_broker_s_address_all_stays_on_disk(spool: Spool) -> None:
    append(spool, 1)
    await Shipper(spool, None, "inference-sync", SpoolSettings()).turn()
    assert len(segments(spool.folder, SEALED)) == 1


async def test_the_metrics_tell_what_waits_and_what_was_lost(
    spool: Spool, bus: Weather, shipper: Callable[..., Shipper]
) -> None:
    ships, registry, bus.away = shipper(), CollectorRegistry(), True
    registry.register(SpoolMetrics(spool, ships))
    append(spool, 1, 2, 3)
    spool.refused("full")
    await ships.turn()

    def value(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(name, labels)

    assert value("predictions_logged_total") == 3
    assert value("predictions_not_logged_total", reason="full") == 1
    assert value("predictions_not_logged_total", reason="disk") == 0
    assert value("spool_segments", state="sealed") == 1
    assert value("spool_bytes", state="sealed") == 27
    assert value("spool_bytes", state=OPEN.lstrip(".")) == 0
    bus.away = False
    await ships.turn()
    assert value("spool_segments_sent_total") == 1
    assert value("spool_segments", state="sent") == 1
    assert value("spool_oldest_unsent_seconds") == 0
