"""Every registered item is screened once, by models that get the time to load; what fails is retried, then buried."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest

from models.contract import Manifest
from models.pictures import UnreadablePicture
from models.text_violation.contract import contract
from services.chassis.bus import MemoryBus
from services.chassis.files import FileNotStored, FileStore
from services.chassis.service import Service, beside
from services.contracts import CloudEvent, ItemRegistered, ItemScreened, picture_path
from services.inference_async import main
from services.inference_async.effects import effect_of
from services.inference_async.screening import Screener
from services.prediction import Prediction, ServedBy
from services.predictors import Encoded
from tests.conftest import MakeBackends, MakeDatabase

PICTURE = b"the bytes of a picture"
THRESHOLDS = {"violation_reject": 0.9, "violation_review": 0.5, "category_margin": 0.2, "tag_margin": 0.2}


class FakeJudge:
    """A predictor that says what it was told to."""

    def __init__(self, name: str, violation: float = 0.1, served_by: ServedBy = "model") -> None:
        self.name, self.violation, self.served_by = name, violation, served_by
        self.asked: list[bytes] = []
        self.manifest: Manifest = contract().model_copy(update={"thresholds": THRESHOLDS})

    async def encoded(self, raw: bytes) -> Encoded:
        self.asked.append(raw)
        if raw == b"no picture":
            raise UnreadablePicture("damaged")
        return {"x": np.zeros((1, 1))}, {}

    async def predict_encoded(self, encoded: Encoded) -> Prediction:
        return Prediction(uuid4(), self.name, "3", {"x": np.zeros(1)}, self.served_by)

    def in_words(self, prediction: Prediction) -> dict[str, Any]:
        label = "spam" if self.violation > 0.5 else "ok"
        answer: dict[str, Any] = {"violation": {"label": label, "score": self.violation, "top": []}}
        if self.name.startswith("image"):
            answer["category"] = {"label": "cat", "score": 0.8, "margin": 0.7, "top": [{"label": "cat", "score": 0.8}]}
        if self.name == "image_screening":
            answer["embedding"] = [0.5] * 128
        return answer


Judges = dict[str, FakeJudge]


@pytest.fixture
def judges() -> Judges:
    return {name: FakeJudge(name) for name in ("image_quick", "image_screening", "text_violation")}


@pytest.fixture
async def files(tmp_path: Path) -> FileStore:
    files = FileStore((tmp_path / "files").as_uri())
    await files.write(picture_path("a" * 64), PICTURE)
    await files.write(picture_path("b" * 64), b"no picture")
    return files


@pytest.fixture
def screener(judges: Judges, files: FileStore) -> Screener:
    return Screener(judges, files, embedding_version="space-1")


def item(image_id: str = "a" * 64, category: str | None = None) -> ItemRegistered:
    return ItemRegistered(
        item_id=uuid4(),
        revision=2,
        sequence=5,
        owner_id=uuid4(),
        image_id=image_id,
        title="三毛猫",
        description="A calico cat.",
        category=category,
        registered_at=datetime.now(UTC),
    )


async def test_the_three_models_are_asked_and_named(screener: Screener, judges: Judges) -> None:
    registered = item()
    screened = await screener.screen(registered)
    assert (screened.item_id, screened.revision, screened.sequence) == (registered.item_id, 2, 5)
    assert screened.verdict == "publish"
    assert judges["image_screening"].asked == judges["image_quick"].asked == [PICTURE]
    assert judges["text_violation"].asked == ["三毛猫\nA calico cat.".encode()]
    assert {name: used.version for name, used in screened.models.items()} == dict.fromkeys(judges, "3")
    assert (screened.category.label, screened.tags) == ("cat", ["cat", "猫"])
    assert (len(screened.embedding), screened.embedding_version) == (128, "space-1")


async def test_what_the_quick_model_rejects_the_slow_one_does_not_see(screener: Screener, judges: Judges) -> None:
    judges["image_quick"].violation = 0.95
    screened = await screener.screen(item())
    assert screened.verdict == "reject"
    assert judges["image_screening"].asked == []
    assert screened.embedding == []
    assert "image_screening" not in screened.models


async def test_an_embedding_of_a_default_is_none(screener: Screener, judges: Judges) -> None:
    judges["image_screening"].served_by = "default"
    screened = await screener.screen(item())
    assert (screened.verdict, screened.embedding) == ("review", [])
    assert screened.models["image_screening"].served_by == "default"


async def test_what_cannot_be_read_is_an_error(screener: Screener) -> None:
    with pytest.raises(FileNotStored):
        await screener.screen(item("c" * 64))
    with pytest.raises(UnreadablePicture):
        await screener.screen(item("b" * 64))


def registered(event_item: ItemRegistered) -> CloudEvent:
    return CloudEvent.of(event_item, source="/items", requestid="r-1")


Process = Callable[[], Service]


@pytest.fixture
async def process(
    backends: MakeBackends,
    database: MakeDatabase,
    judges: Judges,
    files: FileStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Process:
    """`process()`: one more process of the real service, with models that answer as told."""
    monkeypatch.setenv("MODEL_CACHE", str(tmp_path / "cache"))
    made = backends(await database("inference_async"))
    monkeypatch.setattr(Screener, "_ask_all", Screener(judges, files, embedding_version="1")._ask_all)
    return lambda: main.build(made)


@pytest.fixture
def service(process: Process) -> Service:
    return process()


async def worked(service: Service, bus: MemoryBus, done: Callable[[], bool]) -> None:
    """Let the service's worker consume until something has come of it."""
    worker = service.worker()
    assert worker
    async with beside(worker.run), asyncio.timeout(10), bus.changed:
        await bus.changed.wait_for(done)


async def test_an_event_leads_to_its_effect(service: Service, memory_bus: MemoryBus) -> None:
    cause = registered(item())
    await memory_bus.publish(cause)
    await worked(service, memory_bus, lambda: bool(memory_bus.topics["item.screened"]))
    (effect,) = memory_bus.events("item.screened")
    assert (effect.causationid, effect.requestid, effect.key) == (cause.id, "r-1", cause.key)
    assert ItemScreened.model_validate(effect.data).verdict == "publish"


async def test_a_duplicate_is_not_answered_while_the_effect_is_on_its_way(
    service: Service, memory_bus: MemoryBus, judges: Judges
) -> None:
    cause, other = registered(item()), registered(item())
    for event in (cause, cause, other):
        await memory_bus.publish(event)
    await worked(service, memory_bus, lambda: len(memory_bus.topics["item.screened"]) == 2)
    assert {event.causationid for event in memory_bus.events("item.screened")} == {cause.id, other.id}
    assert len(judges["text_violation"].asked) == 2


async def test_a_duplicate_gets_the_same_effect_from_another_process_and_no_second_opinion(
    process: Process, memory_bus: MemoryBus, judges: Judges
) -> None:
    cause = registered(item())
    for number in (1, 2):
        await memory_bus.publish(cause)
        await worked(process(), memory_bus, lambda: len(memory_bus.topics["item.screened"]) == number)  # noqa: B023
    first, second = memory_bus.events("item.screened")
    assert first == second
    assert len(judges["text_violation"].asked) == 1


async def test_two_processes_at_the_same_moment_make_one_effect() -> None:
    cause = registered(item())
    one, two = (effect_of(cause, item(), source="/inference-async") for _ in range(2))
    assert one.id == two.id != effect_of(registered(item()), item(), source="/inference-async").id


@pytest.mark.parametrize("image_id", ["b" * 64, "c" * 64])
async def test_a_picture_that_is_missing_or_damaged_is_tried_three_times_then_buried(
    service: Service, memory_bus: MemoryBus, image_id: str
) -> None:
    await memory_bus.publish(registered(item(image_id)))
    await worked(service, memory_bus, lambda: bool(memory_bus.topics["item.registered.dead-letter"]))
    (dead,) = memory_bus.events("item.registered.dead-letter")
    assert dead.data["dead_letter_reason"]
    assert memory_bus.topics["item.screened"] == []
    metrics = service.metrics.registry
    assert metrics.get_sample_value("events_handled_total", {"topic": "item.registered", "outcome": "retried"}) == 2
