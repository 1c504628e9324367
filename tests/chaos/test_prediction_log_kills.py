"""kill -9 of a host that is asked through the gateway: every answer that anybody got is in the log, and is sent."""

import os
import signal
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from kafka import KafkaConsumer

from scripts.runner import board
from services.chassis.ports import PORTS
from services.contracts import CloudEvent, PredictionsLogged
from services.spool.reading import records
from services.spool.record import of_event
from tests.platform import Platform, User, eventually

HANDS = 3
ANSWERS = 60


def ask(user: User, answered: set[UUID], over: threading.Event) -> None:
    """Ask for predictions again and again; remember the ids of those that were given."""
    number = 0
    while not over.is_set():
        number += 1
        try:
            answer = user.http.post("/v2/models/text_violation/predict", json={"text": f"a cat, number {number}"})
        except httpx.TransportError:
            continue
        if answer.status_code == 200:
            answered.add(UUID(answer.json()["id"]))


def kill_one(state_dir: Path) -> None:
    """kill -9 of a replica."""
    state = board.read(state_dir)
    assert state
    pid = next(unit.pid for unit in state.units if unit.name == "inference-sync-1")
    assert pid
    os.kill(pid, signal.SIGKILL)


def consumer_of(platform: Platform) -> KafkaConsumer:
    """A consumer that has nothing to do with the platform, from the beginning of the topic."""
    port = PORTS["kafka"] - PORTS["gateway"] + int(platform.url.rsplit(":", 1)[1])
    return KafkaConsumer(
        PredictionsLogged.type,
        bootstrap_servers=[os.environ.get("KAFKA_BOOTSTRAP_SERVERS") or f"127.0.0.1:{port}"],
        auto_offset_reset="earliest",
        consumer_timeout_ms=500,
    )


def test_every_answer_is_in_the_log_and_is_sent(platform: Platform) -> None:
    if platform.state_dir is None:
        pytest.skip("the spool of a platform that was not started here cannot be read")
    spool, answered, over = platform.state_dir / "volumes" / "spool-sync", set[UUID](), threading.Event()
    with ThreadPoolExecutor(HANDS) as hands:
        asking = [hands.submit(ask, platform.user(number=number), answered, over) for number in range(HANDS)]
        try:
            eventually(lambda: len(answered) >= ANSWERS, "answers")
            kill_one(platform.state_dir)
            eventually(lambda: len(answered) >= 2 * ANSWERS, "answers after the kill")
        finally:
            over.set()
        for hand in asking:
            hand.result()
    assert answered <= {record.id for record in records(spool)}

    consumer, arrived = consumer_of(platform), dict[UUID, list[UUID]]()

    def all_arrived() -> bool:
        for message in consumer:
            event = CloudEvent.model_validate_json(message.value)
            arrived[event.id] = [of_event(record).id for record in PredictionsLogged.model_validate(event.data).records]
        return answered <= {record for ids in arrived.values() for record in ids}

    eventually(all_arrived, "every answer in the topic", 30)
    consumer.close()
    everything = Counter(record for ids in arrived.values() for record in ids)
    assert {record for record in answered if everything[record] != 1} == set()
