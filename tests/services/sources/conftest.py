"""A registry of tiny models, and hosts that follow it."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry

from services.sources.disk_cache import DiskCache
from services.sources.mlflow_registry import MlflowRegistry
from services.sources.model_load import LoadMetrics, ModelLoad
from services.sources.threads import Threads
from tests.services.sources.tiny import TINY, FakeMlflow

Host = Callable[..., ModelLoad]


class Clock:
    """A clock that tests turn."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def mlflow() -> FakeMlflow:
    return FakeMlflow()


@pytest.fixture
async def host(mlflow: FakeMlflow, tmp_path: Path, clock: Clock) -> AsyncIterator[Host]:
    """`host()`: a host that has just started, on the one disk cache of this test."""
    async with httpx.AsyncClient(transport=mlflow) as http:

        def started(alias: str = "champion") -> ModelLoad:
            return ModelLoad(
                TINY.manifest,
                TINY.features,
                registry=MlflowRegistry(http, "http://mlflow:8300"),
                cache=DiskCache(tmp_path / "cache", "tiny"),
                threads=Threads(2, 8),
                metrics=LoadMetrics(CollectorRegistry()),
                alias=alias,
                clock=clock,
            )

        yield started
