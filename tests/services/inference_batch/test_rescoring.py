"""Re-scoring: who is judged again, what a row's failure is, and what is said to items."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import numpy as np
import pytest

from models.contract import Arrays, Manifest
from models.image_screening.contract import contract as picture_contract
from models.text_violation.contract import contract as text_contract
from services.chassis.database import Database
from services.chassis.files import FileStore
from services.chassis.ids import new_id
from services.contracts import CloudEvent, ItemRescored, picture_path
from services.inference_batch import facts, runs
from services.inference_batch.executing import Executor
from services.inference_batch.rescoring import Rescoring
from services.inference_batch.runs import Run
from services.inference_batch.windows import Schedule, Window
from services.prediction import NotLoaded, Prediction, PredictionRequest
from services.predictors import Predictor
from tests.services.inference_batch.test_facts import published, screened

GOOD, BAD, BROKEN = b"good", b"bad", b"broken"


@dataclass
class FakePredictor:
    """Sees a violation in whatever is `bad`."""

    manifest: Manifest
    version: str | None = "2"
    default: str | None = None
    asked: list[int] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.manifest.name

    @property
    def features(self) -> Any:
        def encode(raw: bytes) -> Arrays:
            if raw == BROKEN:
                raise ValueError("it cannot be read")
            return {"features": np.array([[1.0 if BAD in raw else 0.0]], np.float32)}

        def answer(manifest: Manifest, outputs: Arrays) -> dict[str, Any]:
            bad = float(outputs["violation"][0, 0])
            top = [{"label": "weapon", "score": bad}, {"label": "ok", "score": 1 - bad}]
            category = {"label": "cat", "score": 1.0, "margin": 1.0, "top": [{"label": "cat", "score": 1.0}]}
            judged = {"label": "weapon" if bad else "ok", "score": bad, "top": top}
            return {"violation": judged} | ({"category": category} if "image" in manifest.name else {})

        return SimpleNamespace(encode=encode, answer=answer)

    async def predict(self, request: PredictionRequest) -> Prediction:
        self.asked.append(request.rows)
        outputs = {"violation": request.inputs["features"]}
        if self.default:
            return Prediction(request.id, self.name, "default", outputs, "default", self.default)
        return Prediction(request.id, self.name, self.version or "", outputs)


@dataclass
class Stage:
    """The job on a real database, with pictures in a folder."""

    database: Database
    files: FileStore
    picture: FakePredictor
    text: FakePredictor

    @property
    def job(self) -> Rescoring:
        predictors = {"image_screening": self.picture, "text_violation": self.text}
        return Rescoring(cast(dict[str, Predictor], predictors), self.files)

    async def knows(self, content: bytes = GOOD, version: str = "1", title: str = "a title") -> UUID:
        """A published item that this version judged."""
        item = new_id()
        image = f"{item.int:064x}"[-64:]
        await self.files.write(picture_path(image), content)
        for data in (screened(item, version), published(item, image_id=image, title=title)):
            await facts.remember(self.database, [(data, CloudEvent.of(data, source="/items"))])
        return item

    async def run(self, minutes: int = 60) -> Run:
        """Everything known by now."""
        hour = timedelta(hours=1)
        schedule = Schedule("rescore", hour, timedelta(0), hour, "partial", 1, 1, True)
        now = datetime.now(UTC) + timedelta(seconds=1)
        await runs.queue(self.database, schedule, Window(now - timedelta(minutes=minutes), now), "hand")
        executor = Executor(self.database, {"rescore": self.job}, chunk=3)
        run = await executor.one()
        assert run is not None
        return run

    async def outbox(self) -> list[ItemRescored]:
        async with self.database.connection() as connection:
            rows = await (await connection.execute("SELECT event FROM outbox ORDER BY id")).fetchall()
        return [ItemRescored.model_validate(row["event"]["data"]) for row in rows]


@pytest.fixture
async def stage(database: Callable[[str], Awaitable[Database]], tmp_path: Any) -> Stage:
    thresholds: Mapping[str, float] = {"violation_reject": 0.9, "violation_review": 0.5}
    picture = picture_contract().model_copy(update={"thresholds": thresholds})
    text = text_contract().model_copy(update={"thresholds": thresholds})
    opened = await database("inference_batch")
    files = FileStore((tmp_path / "files").as_uri())
    return Stage(opened, files, FakePredictor(picture), FakePredictor(text))


async def test_what_the_newer_models_would_not_publish_is_told(stage: Stage) -> None:
    fine, bad = await stage.knows(), await stage.knows(BAD)
    run = await stage.run()
    assert (run.state, run.done) == ("done", 2)
    (told,) = await stage.outbox()
    assert (told.item_id, told.verdict, told.revision) == (bad, "reject", 1)
    assert told.models["image_screening"].version == "2"
    assert fine != bad


async def test_a_bad_title_is_found_too(stage: Stage) -> None:
    item = await stage.knows(title="bad words")
    await stage.run()
    assert [told.item_id for told in await stage.outbox()] == [item]


async def test_what_the_same_versions_judged_is_left_alone(stage: Stage) -> None:
    await stage.knows(version="2")
    stage.text.version = None
    with pytest.raises(NotLoaded):
        stage.job.versions()
    stage.text.version = "2"
    await stage.knows(version="1")
    assert (await stage.run()).done == 2, "nobody knows which text model judged them: both are looked at"
    assert (await stage.run(minutes=30)).done == 0, "and then they are up to date"


async def test_chunks_are_asked_as_batches(stage: Stage) -> None:
    for _ in range(7):
        await stage.knows()
    await stage.run()
    assert stage.picture.asked == [3, 3, 1]


async def test_an_unreadable_picture_is_its_own_failure(stage: Stage) -> None:
    item = await stage.knows(BROKEN)
    await stage.knows()
    run = await stage.run()
    assert (run.state, run.done, run.failed) == ("failed", 1, 1)
    assert await runs.failures(stage.database, run.id) == {str(item): "ValueError('it cannot be read')"}


async def test_a_default_is_no_result(stage: Stage) -> None:
    await stage.knows(BAD)
    stage.picture.default = "timeout"
    run = await stage.run()
    assert (run.done, run.failed) == (0, 1)
    assert await stage.outbox() == []
    assert "timeout" in next(iter((await runs.failures(stage.database, run.id)).values()))
