"""The host with the tiny model alone, asked by either lane."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from services.chassis.http import App
from services.chassis.service import Service
from services.inference_sync.main import offered
from services.inference_sync.switches import Switches
from services.predictors import Predictors, PredictorSettings, served
from tests.conftest import MakeBackends
from tests.services.sources.tiny import TINY, FakeMlflow, artefact

MAX_BATCH, MAX_BYTES = 8, 300_000


@pytest.fixture
def mlflow(tmp_path: Path) -> FakeMlflow:
    mlflow = FakeMlflow()
    mlflow.add("1", artefact(tmp_path / "one"))
    return mlflow


@pytest.fixture
def service(backends: MakeBackends, mlflow: FakeMlflow, tmp_path: Path) -> tuple[Service, Predictors]:
    """Nothing is loaded yet."""
    settings = PredictorSettings(mlflow_tracking_uri="http://mlflow:8300", model_cache=tmp_path / "cache")
    service = Service("inference-sync", backends(transport=mlflow), max_body_bytes=MAX_BYTES)
    predictors = served(service, settings, patience_seconds=2.0, declared=[TINY])
    offered(service, predictors, Switches(None, predictors), max_batch=MAX_BATCH, max_bytes=MAX_BYTES)
    return service, predictors


@pytest.fixture(params=["fast", "slow"])
def host(request: pytest.FixtureRequest, service: tuple[Service, Predictors]) -> tuple[App, Predictors]:
    """The host as the fast lane shows it, and as FastAPI alone does."""
    return (service[0].front if request.param == "fast" else service[0].app), service[1]


@pytest.fixture
async def http(host: tuple[App, Predictors]) -> AsyncIterator[httpx.AsyncClient]:
    """Speaks to the host before a model is loaded."""
    transport = httpx.ASGITransport(host[0], raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://host") as client:
        yield client


@pytest.fixture
async def loaded(host: tuple[App, Predictors], http: httpx.AsyncClient) -> httpx.AsyncClient:
    """Speaks to the host with its model loaded."""
    await host[1]["tiny"].source.look()
    return http


@pytest.fixture
async def lanes(service: tuple[Service, Predictors]) -> AsyncIterator[tuple[httpx.AsyncClient, httpx.AsyncClient]]:
    """The fast lane and the other one, of one host with its model loaded."""
    await service[1]["tiny"].source.look()
    fast, slow = (httpx.ASGITransport(app, raise_app_exceptions=False) for app in (service[0].front, service[0].app))
    async with (
        httpx.AsyncClient(transport=fast, base_url="http://host") as first,
        httpx.AsyncClient(transport=slow, base_url="http://host") as second,
    ):
        yield first, second
