"""Hosts ask the registry for many models at the same moment, and ask it little."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from services.sources.mlflow_registry import MlflowRegistry
from tests.services.sources.tiny import FakeMlflow, artefact


@pytest.fixture
async def registry(mlflow: FakeMlflow) -> AsyncIterator[MlflowRegistry]:
    async with httpx.AsyncClient(transport=mlflow) as http:
        yield MlflowRegistry(http, "http://mlflow:8300")


async def test_many_models_are_one_question(registry: MlflowRegistry, mlflow: FakeMlflow, tmp_path: Path) -> None:
    mlflow.add("1", artefact(tmp_path / "1"))
    found = await asyncio.gather(*(registry.named(name) for name in ("tiny", "large", "odd")))
    assert [one and one.version for one in found] == ["1", None, None]
    assert len([path for path in mlflow.asked if path.endswith("/search")]) == 1


async def test_a_version_that_is_known_is_not_asked_for_again(
    registry: MlflowRegistry, mlflow: FakeMlflow, tmp_path: Path
) -> None:
    mlflow.add("1", artefact(tmp_path / "1"))
    first, again = await registry.named("tiny"), await registry.named("tiny")
    assert first == again
    assert len([path for path in mlflow.asked if path.endswith("/model-versions/get")]) == 1


async def test_a_registry_that_was_emptied_and_filled_again_is_noticed(
    registry: MlflowRegistry, mlflow: FakeMlflow, tmp_path: Path
) -> None:
    mlflow.add("1", artefact(tmp_path / "old"))
    old = await registry.named("tiny")
    mlflow.add("1", artefact(tmp_path / "new", seed=2))
    new = await registry.named("tiny")
    assert old
    assert new
    assert old.version == new.version
    assert old.manifest_sha256 != new.manifest_sha256


async def test_who_waits_together_fails_together(registry: MlflowRegistry, mlflow: FakeMlflow) -> None:
    mlflow.away = True
    found = await asyncio.gather(registry.named("tiny"), registry.named("odd"), return_exceptions=True)
    assert [type(one) for one in found] == [httpx.ConnectError, httpx.ConnectError]
    mlflow.away = False
    assert await registry.named("tiny") is None
