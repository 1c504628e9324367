"""A host that was started from an image serves what lies in it, or says why not."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from services.chassis.service import Service
from services.image_builder.layers import model_layer
from services.prediction import NotLoaded, PredictionRequest
from services.predictors import NotInHere, Predictors, PredictorSettings, served
from services.sources.model_in_image import ModelInImage
from services.sources.model_load import LoadMetrics
from services.sources.onnx_model import sha256
from services.sources.threads import Threads
from tests.conftest import MakeBackends, MakeClient
from tests.services.sources.tiny import TINY, artefact

REQUEST = PredictionRequest("tiny", {"features": np.ones((2, 4), np.float32)})


def image(root: Path, **changes: Any) -> Path:
    """What /model of an image holds, as the builder lays it."""
    folder = artefact(root / "model" / "tiny", **changes)
    told = {"name": "tiny", "version": "3", "manifest_sha256": sha256(folder / "manifest.json")}
    model_layer(root / "layer.tar.zst", "tiny", folder, {"release.json": json.dumps(told).encode()})
    return root / "model"


def host(folder: Path, alias: str = "champion") -> ModelInImage:
    return ModelInImage(
        TINY.manifest,
        TINY.features,
        folder=folder,
        threads=Threads(1, 1),
        metrics=LoadMetrics(CollectorRegistry()),
        alias=alias,
    )


async def test_it_serves_as_the_version_it_was_built_from(tmp_path: Path) -> None:
    source = host(image(tmp_path))
    assert source.version() is None
    await source.look()
    prediction = await source.predict(REQUEST)
    assert (prediction.version, prediction.served_by) == ("3", "model")


async def test_a_wrong_pair_is_refused_for_good_and_says_why(tmp_path: Path) -> None:
    folder = image(tmp_path, requires={"numpy": "0.1.0"})
    source = host(folder)
    await source.look()
    with pytest.raises(NotLoaded, match=r"version 3 is refused: libraries: needs numpy 0.1.0, here is"):
        await source.predict(REQUEST)
    assert (folder / "tiny" / "model.onnx").is_file()


async def test_what_was_changed_since_is_refused(tmp_path: Path) -> None:
    folder = image(tmp_path)
    (folder / "tiny" / "manifest.json").write_text("{}")
    source = host(folder)
    await source.look()
    with pytest.raises(NotLoaded, match="is not the one that was registered"):
        await source.predict(REQUEST)


async def test_an_image_has_no_challenger(tmp_path: Path) -> None:
    source = host(image(tmp_path), alias="challenger")
    await source.look()
    with pytest.raises(NotLoaded, match="no challenger"):
        await source.predict(REQUEST)


def serving(made: MakeBackends, folder: Path) -> tuple[Service, Predictors]:
    """A host with MODEL_FOLDER, which knows the tiny model."""
    service = Service("inference-sync", made())
    settings = PredictorSettings(model_folder=folder)
    return service, served(service, settings, patience_seconds=2.0, declared=[TINY])


async def test_the_host_is_ready_when_the_model_is_loaded_and_not_before(
    backends: MakeBackends, client: MakeClient, tmp_path: Path
) -> None:
    service, predictors = serving(backends, image(tmp_path))
    http = client(service)
    before = await http.get("/health/ready")
    await predictors["tiny"].source.look()
    assert (before.status_code, (await http.get("/health/ready")).status_code) == (503, 200)


async def test_a_host_with_a_wrong_pair_never_is_and_its_health_says_why(
    backends: MakeBackends, client: MakeClient, tmp_path: Path
) -> None:
    service, predictors = serving(backends, image(tmp_path, requires={"numpy": "0.1.0"}))
    await predictors["tiny"].source.look()
    answer = await client(service).get("/health/ready")
    assert answer.status_code == 503
    assert "needs numpy 0.1.0" in answer.text


def test_an_image_with_a_model_that_its_code_does_not_know_is_refused(backends: MakeBackends, tmp_path: Path) -> None:
    image(tmp_path)
    (tmp_path / "model" / "tiny").rename(tmp_path / "model" / "stranger")
    with pytest.raises(NotInHere, match="stranger"):
        serving(backends, tmp_path / "model")
