"""Publish / subscribe: a prediction that is asked for by an event is made once; what cannot be made can be replayed."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from services.chassis.bus import MemoryBus
from services.chassis.files import FileStore
from services.chassis.service import Service, beside
from services.contracts import CloudEvent, PredictionMade, PredictionRequested, dead_letter_topic, picture_path
from services.inference_async import main
from services.prediction import PredictionRequest
from tests.conftest import MakeBackends, MakeClient, MakeDatabase
from tests.services.inference_async.conftest import FakePredictor

MADE, DEAD = "prediction.made", dead_letter_topic("prediction.requested")


@pytest.fixture
async def service(
    backends: MakeBackends,
    database: MakeDatabase,
    model: FakePredictor,
    tmp_path: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> Service:
    monkeypatch.setenv("MODEL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(main, "served", lambda *_, **__: {model.name: model})
    return main.build(backends(await database("inference_async")))


def asked(**what: str) -> CloudEvent:
    data = PredictionRequested(prediction_id=uuid4(), model="text_violation", **what)
    return CloudEvent.of(data, source="/tests", requestid="r-1")


async def worked(service: Service, bus: MemoryBus, done: Callable[[], bool]) -> None:
    worker = service.worker()
    assert worker
    async with beside(worker.run), asyncio.timeout(20), bus.changed:
        await bus.changed.wait_for(done)


async def test_who_asks_by_an_event_hears_by_an_event(
    service: Service, memory_bus: MemoryBus, model: FakePredictor
) -> None:
    cause = asked(text="hello")
    for _ in range(2):
        await memory_bus.publish(cause)
    await worked(service, memory_bus, lambda: bool(memory_bus.topics[MADE]))
    (event,) = memory_bus.events(MADE)
    made = PredictionMade.model_validate(event.data)
    assert (event.causationid, event.requestid, event.key) == (cause.id, "r-1", cause.key)
    assert made.prediction["served_by"] == "model"
    assert made.prediction["id"] == cause.key
    assert [request.id for request in model.asked] == [made.prediction_id]


@pytest.mark.parametrize("what", [{}, {"text": "x", "image_id": "a" * 64}, {"image_id": "b" * 64}])
async def test_what_names_nothing_that_is_there_is_buried(
    service: Service, memory_bus: MemoryBus, what: dict[str, str]
) -> None:
    await memory_bus.publish(asked(**what))
    await worked(service, memory_bus, lambda: bool(memory_bus.topics[DEAD]))
    assert memory_bus.topics[MADE] == []


async def test_a_dead_letter_is_kept_shown_and_sent_again_once_it_is_cured(
    service: Service,
    memory_bus: MemoryBus,
    client: MakeClient,
    signed_in: Any,
    model: FakePredictor,
    tmp_path: Any,
) -> None:
    http, operator = client(service), signed_in(name="kuro", roles=("operator",))
    cause = asked(image_id="c" * 64)
    await memory_bus.publish(cause)
    await worked(service, memory_bus, lambda: bool(memory_bus.topics[DEAD]))

    worker = service.worker()
    assert worker
    await worker.handle(memory_bus.topics[DEAD])
    memory_bus.positions[service.name, DEAD] = 1  # the group has it: it does not come again
    (letter,) = (await http.get("/api/dead-letters", headers=operator)).json()
    assert (letter["topic"], letter["event_id"], letter["readable"]) == ("prediction.requested", str(cause.id), True)
    assert "FileNotStored" in letter["reason"]
    assert (await http.get("/api/dead-letters", headers=signed_in())).status_code == 403

    await FileStore((tmp_path / "files").as_uri()).write(picture_path("c" * 64), b"there now")
    other = await http.post("/api/dead-letters/replay", json={"topic": "item.registered"}, headers=operator)
    assert other.json() == []
    sent = await http.post("/api/dead-letters/replay", json={}, headers=operator)
    assert [one["event_id"] for one in sent.json()] == [str(cause.id)]
    assert memory_bus.events("prediction.requested") == [cause, cause]
    await worked(service, memory_bus, lambda: bool(memory_bus.topics[MADE]))
    assert (await http.get("/api/dead-letters", headers=operator)).json() == []
    assert [request.id for request in model.asked if isinstance(request, PredictionRequest)] == [
        memory_bus_id(memory_bus)
    ]


def memory_bus_id(bus: MemoryBus) -> Any:
    return PredictionMade.model_validate(bus.events(MADE)[0].data).prediction_id


async def test_what_is_no_event_is_kept_and_not_sent_again(
    service: Service, memory_bus: MemoryBus, client: MakeClient, signed_in: Any
) -> None:
    http, operator = client(service), signed_in(roles=("operator",))
    await memory_bus.send("prediction.requested", "key", b"\xff no event")
    await worked(service, memory_bus, lambda: bool(memory_bus.topics[DEAD]))
    worker = service.worker()
    assert worker
    await worker.handle(memory_bus.topics[DEAD])
    (letter,) = (await http.get("/api/dead-letters", headers=operator)).json()
    assert not letter["readable"]
    assert (await http.post("/api/dead-letters/replay", json={}, headers=operator)).json() == []
