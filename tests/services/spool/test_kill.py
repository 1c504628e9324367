"""kill -9 of a host in the middle of load, a broker that goes away: every answered prediction is in the log, once."""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen
from uuid import UUID

import httpx
import pytest
from kafka import KafkaConsumer

from services.contracts import CloudEvent, PredictionsLogged
from services.spool.reading import records
from services.spool.record import of_event
from services.spool.segments import OPEN, SEALED, SENT, segments
from tests import servers
from tests.servers import eventually, free_port, listening
from tests.services.sources.tiny import artefact

BODY = {"inputs": [{"name": "features", "datatype": "FP32", "shape": [1, 4], "data": [1, 2, 3, 4]}]}
HANDS = 4

pytestmark = pytest.mark.timeout(180)


@dataclass
class Asking:
    """People who ask a host again and again, and remember the ids of the answers that they got."""

    port: int
    answered: set[UUID] = field(default_factory=set)
    by_default: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> "Asking":
        self._hands = [threading.Thread(target=self._ask) for _ in range(HANDS)]
        for hand in self._hands:
            hand.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        for hand in self._hands:
            hand.join()

    def goes_on(self, more: int = 200) -> None:
        """Wait until some more were answered."""
        before = len(self.answered)
        eventually(lambda: len(self.answered) >= before + more, f"{more} more answers", 60)

    def _ask(self) -> None:
        with httpx.Client(base_url=f"http://127.0.0.1:{self.port}") as http:
            while not self.over.is_set():
                try:
                    answer = http.post("/v2/models/tiny/infer", json=BODY)
                except httpx.TransportError:
                    self.over.wait(0.01)
                    continue
                assert answer.status_code == 200, answer.text
                told = answer.json()
                self.answered.add(UUID(told["parameters"]["prediction_id"]))
                self.by_default += told["parameters"]["served_by"] == "default"


@pytest.fixture
def broker() -> Iterator["Broker"]:
    """A broker that can be stopped and started."""
    broker = Broker(free_port())
    broker.start()
    yield broker
    broker.stop()


@dataclass
class Broker:
    """The broker of the wheel, in memory: what it was told is gone with it."""

    port: int
    _running: AbstractContextManager[Popen[bytes]] | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        self._running = servers.running(servers.broker_command(self.port), lambda: listening(self.port))
        self._running.__enter__()

    def stop(self) -> None:
        if self._running:
            self._running.__exit__(None, None, None)
            self._running = None


@dataclass
class Host:
    """The process of tests/services/spool/host.py."""

    folder: Path
    broker: str
    port: int = field(default_factory=free_port)

    @property
    def spool(self) -> Path:
        return self.folder / "spool"

    def running(self) -> AbstractContextManager[Popen[bytes]]:
        environment = os.environ | {
            "ARTEFACT": str(self.folder / "artefact"),
            "KAFKA_BOOTSTRAP_SERVERS": self.broker,
            "MLFLOW_TRACKING_URI": "http://mlflow:8300",
            "MODEL_CACHE": str(self.folder / "cache"),
            "MODEL_PACKAGES": "tests.services.spool.served",
            "SPOOL_DIR": str(self.spool),
            "SPOOL_SEGMENT_SECONDS": "0.2",
        }
        command = [sys.executable, "-m", "tests.services.spool.host", str(self.port)]
        return servers.running(command, lambda: listening(self.port), env=environment)

    def ships_all(self) -> None:
        """Wait until nothing is left to be sent."""
        eventually(lambda: not segments(self.spool, OPEN) + segments(self.spool, SEALED), "an empty spool", 60)


@pytest.fixture
def host(tmp_path: Path, broker: Broker) -> Host:
    artefact(tmp_path / "artefact")
    return Host(tmp_path, broker.address)


def test_every_answer_is_in_the_log_after_kill_9_in_the_middle(host: Host, broker: Broker) -> None:
    with host.running() as process, Asking(host.port) as asking:
        asking.goes_on()
        process.kill()
        process.wait()
        asking.over.set()
    logged = {record.id for record in records(host.spool)}
    assert asking.answered <= logged
    assert len(asking.answered) >= 200

    torn = tear(host.spool)
    with host.running(), Asking(host.port) as later:
        later.goes_on()
        later.over.set()
    with host.running():
        host.ships_all()
    arrived = list(consumed(broker.address, len(asking.answered | later.answered)))
    assert asking.answered | later.answered <= set(arrived)
    assert len(arrived) == len(set(arrived)), "a prediction arrived twice"
    assert torn not in {record.id for record in records(host.spool)}


def test_while_the_broker_is_away_answers_go_on_and_nothing_is_lost(host: Host, broker: Broker) -> None:
    broker.stop()
    with host.running(), Asking(host.port) as asking:
        asking.goes_on()
        eventually(lambda: len(segments(host.spool, SEALED)) > 1, "segments that wait", 60)
        assert segments(host.spool, SENT) == []
        broker.start()
        asking.goes_on()
        asking.over.set()
        host.ships_all()
    assert asking.answered <= set(consumed(broker.address, len(asking.answered)))


def tear(folder: Path) -> UUID:
    """Half a record at the end of the dead process's segment, as a write that was cut off; its id."""
    (path,) = segments(folder, OPEN)
    line = path.read_bytes().splitlines()[-1]
    torn = UUID(int=7)
    with path.open("ab") as file:
        file.write(line.replace(line[7:43], str(torn).encode())[: len(line) // 2])
    return torn


def consumed(address: str, least: int) -> list[UUID]:
    """What a consumer of the topic gets to see: the ids of all predictions, a second event of a segment left out."""
    consumer = KafkaConsumer(
        PredictionsLogged.type,
        bootstrap_servers=[address],
        auto_offset_reset="earliest",
        consumer_timeout_ms=1500,
    )
    found: dict[UUID, list[UUID]] = {}
    try:
        while sum(map(len, found.values())) < least:
            for message in consumer:
                event = CloudEvent.model_validate_json(message.value)
                data = PredictionsLogged.model_validate(event.data)
                assert event.id == data.segment_id
                found[event.id] = [of_event(record).id for record in data.records]
    finally:
        consumer.close()
    return [record for ids in found.values() for record in ids]
