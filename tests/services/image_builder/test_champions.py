"""Every champion gets its image by itself."""

from pathlib import Path

import pytest

from services.chassis.service import Service
from services.image_builder.champions import Champions, known_models
from tests.conftest import MakeClient
from tests.services.image_builder.conftest import Builders
from tests.services.image_builder.shelf import Shelf
from tests.services.sources.tiny import FakeMlflow, artefact


@pytest.fixture
def follow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.image_builder.champions.known_models", lambda: ["tiny"])


async def turn(service: Service) -> None:
    """One look at the champions, as the service's loop makes it."""
    champions = next(
        cell.cell_contents.__self__
        for cell in (service.loops[0].__closure__ or ())
        if hasattr(cell.cell_contents, "__self__")
    )
    assert isinstance(champions, Champions)
    await champions.look()


@pytest.mark.usefixtures("follow")
async def test_a_new_champion_is_built(builder: Builders, mlflow: FakeMlflow, shelf: Shelf, tmp_path: Path) -> None:
    service = builder()
    await turn(service)
    assert shelf.tags == {}
    mlflow.add("1", artefact(tmp_path / "one"))
    await turn(service)
    mlflow.add("2", artefact(tmp_path / "two", seed=2))
    await turn(service)
    assert {("models/tiny", "1"), ("models/tiny", "2")} <= set(shelf.tags)


@pytest.mark.usefixtures("follow")
async def test_what_is_built_is_left_alone(builder: Builders, mlflow: FakeMlflow, shelf: Shelf, tmp_path: Path) -> None:
    mlflow.add("1", artefact(tmp_path / "one"))
    service = builder()
    await turn(service)
    fetched, received = len(mlflow.fetched), len(shelf.received)
    await turn(service)
    await turn(builder())
    assert (len(mlflow.fetched), len(shelf.received)) == (fetched, received)


@pytest.mark.usefixtures("follow")
async def test_a_champion_that_does_not_fit_is_told_and_not_tried_for_ever(
    builder: Builders, client: MakeClient, mlflow: FakeMlflow, shelf: Shelf, tmp_path: Path
) -> None:
    mlflow.add("1", artefact(tmp_path / "one", requires={"numpy": "0.1.0"}))
    service = builder()
    await turn(service)
    fetched = len(mlflow.fetched)
    await turn(service)
    assert len(mlflow.fetched) == fetched
    metrics = (await client(service).get("/metrics")).text
    assert 'champion_image_missing{model="tiny"} 1.0' in metrics
    assert 'images_built_total{model="tiny",outcome="refused"} 1.0' in metrics
    mlflow.add("2", artefact(tmp_path / "two", seed=2))
    await turn(service)
    assert 'champion_image_missing{model="tiny"} 0.0' in (await client(service).get("/metrics")).text


@pytest.mark.usefixtures("follow")
async def test_with_the_model_registry_away_the_next_turn_comes(
    builder: Builders, mlflow: FakeMlflow, shelf: Shelf, tmp_path: Path
) -> None:
    mlflow.add("1", artefact(tmp_path / "one"))
    service = builder()
    mlflow.away = True
    await turn(service)
    mlflow.away = False
    await turn(service)
    assert ("models/tiny", "1") in shelf.tags


def test_following_can_be_switched_off(builder: Builders, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOLLOW_CHAMPIONS", "false")
    assert builder().loops == []


def test_every_model_of_the_clone_is_looked_after() -> None:
    assert {"image_screening", "image_quick", "text_violation"} <= set(known_models())
