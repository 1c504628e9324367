"""Attributes come with the verdict when the detector is well, and never stand in its way when it is not."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from uuid import uuid4

import numpy as np
import pytest
from PIL import Image

from models.image_screening import features
from models.object_attributes.contract import MOST, contract
from services.chassis.files import FileStore
from services.chassis.settings import Unusable
from services.contracts import ItemRegistered, ItemScreened, picture_path
from services.inference_async import main
from services.inference_async.screening import Judge, Screener
from services.prediction import NotLoaded, Prediction, ServedBy
from services.predictors import Encoded
from tests.conftest import MakeBackends
from tests.services.inference_async.test_screening import FakeJudge

MANIFEST = contract().model_copy(update={"thresholds": {"object_score": 0.4}})


def wide_picture() -> bytes:
    """2:1, so that the models see 55 % of its width."""
    file = BytesIO()
    Image.new("RGB", (400, 200), "grey").save(file, "PNG")
    return file.getvalue()


class FakeDetector:
    """Finds one object at the left edge of what it sees; `trouble` happens instead."""

    manifest = MANIFEST

    def __init__(self, trouble: Callable[[], Any] | None = None, served_by: ServedBy = "model") -> None:
        self.trouble, self.served_by, self.given = trouble, served_by, list[Encoded]()

    async def predict_encoded(self, encoded: Encoded) -> Prediction:
        self.given.append(encoded)
        if self.trouble:
            await self.trouble()
        boxes = np.zeros((1, MOST, 5), np.float32)
        boxes[0, 0] = (0.0, 0.25, 0.2, 0.75, 0.9)
        outputs = {"boxes": boxes, "place": np.array([[0.1, 0.0, 0.9]]), "brightness": np.array([[0.1]])}
        return Prediction(uuid4(), "object_attributes", "7", outputs, self.served_by)


class PictureJudge(FakeJudge):
    """Encodes as the real model does."""

    async def encoded(self, raw: bytes) -> Encoded:
        return features.encode(raw), {}


Screen = Callable[..., Any]


@pytest.fixture
async def screen(tmp_path: Path) -> Screen:
    files = FileStore((tmp_path / "files").as_uri())
    await files.write(picture_path("a" * 64), wide_picture())

    async def screened(detector: FakeDetector | None, violation: float = 0.1) -> ItemScreened:
        judges: dict[str, Any] = {"image_quick": FakeJudge("image_quick", violation)}
        judges |= {"image_screening": PictureJudge("image_screening"), "text_violation": FakeJudge("text_violation")}
        judges |= {"object_attributes": detector} if detector else {}
        screener = Screener(cast(dict[str, Judge], judges), files, embedding_version="1", notice_seconds=0.05)
        return await screener.screen(
            ItemRegistered(
                item_id=uuid4(),
                revision=1,
                sequence=1,
                owner_id=uuid4(),
                image_id="a" * 64,
                title="Cats",
                description="",
                category=None,
                registered_at=datetime.now(UTC),
            )
        )

    return screened


async def test_attributes_are_of_the_whole_picture(screen: Screen) -> None:
    detector = FakeDetector()
    screened = await screen(detector)
    found = screened.attributes
    assert (found.count, found.where, found.brightness, found.place) == (1, ["left"], "dark", "outdoors")
    assert found.objects[0].left == pytest.approx((1 - 1.1 / 2) / 2)
    assert found.objects[0].right == pytest.approx(0.225 + 0.2 * 0.55)
    assert (found.objects[0].top, found.objects[0].bottom) == (0.25, 0.75)
    assert screened.models["object_attributes"].version == "7"


async def test_the_picture_is_encoded_once(screen: Screen) -> None:
    detector = FakeDetector()
    await screen(detector)
    ((inputs, _),) = detector.given
    assert np.array_equal(inputs["image"], features.encode(wide_picture())["image"])


async def never() -> None:
    await asyncio.Event().wait()


async def broken() -> None:
    raise NotLoaded("object_attributes")


async def wrong() -> None:
    raise RuntimeError("the session is gone")


@pytest.mark.parametrize(
    "detector",
    [None, FakeDetector(never), FakeDetector(broken), FakeDetector(wrong), FakeDetector(served_by="default")],
)
async def test_without_an_answer_the_verdict_is_the_same(screen: Screen, detector: FakeDetector | None) -> None:
    screened = await screen(detector)
    assert (screened.verdict, screened.attributes) == ("publish", None)
    assert set(screened.models) == {"image_quick", "image_screening", "text_violation"}


async def test_what_is_rejected_at_first_sight_is_not_looked_at(screen: Screen) -> None:
    detector = FakeDetector()
    assert (await screen(detector, violation=0.95)).attributes is None
    assert detector.given == []


def test_a_host_without_a_judge_is_refused(
    backends: MakeBackends, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MODELS", "image_quick,text_violation")
    monkeypatch.setenv("MODEL_CACHE", str(tmp_path))
    with pytest.raises(Unusable, match="image_screening"):
        main.build(backends(cast(Any, SimpleNamespace())))
