"""A host follows the registry: it swaps to what fits, refuses what does not, and starts from disk."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto

from models.contract import Arrays, Manifest, TensorSpec
from services.prediction import NotLoaded, PredictionRequest
from services.sources.model_load import TRY_REFUSED_AGAIN_SECONDS, ModelLoad
from services.sources.onnx_model import QUICK_SECONDS
from tests.services.sources.conftest import Clock, Host
from tests.services.sources.tiny import FakeMlflow, artefact, contract, onnx_bytes, seal

REQUEST = PredictionRequest("tiny", {"features": np.ones((2, 4), np.float32)})


def serving(host: ModelLoad) -> str | None:
    return host.serving.release.version if host.serving else None


async def test_without_a_champion_nothing_is_loaded(host: Host) -> None:
    started = host()
    await started.look()
    with pytest.raises(NotLoaded, match="the registry has no champion"):
        await started.predict(REQUEST)
    assert started.contract() == contract()


async def test_the_champion_is_fetched_verified_and_served(host: Host, mlflow: FakeMlflow, tmp_path: Path) -> None:
    mlflow.add("1", artefact(tmp_path / "one"))
    started = host()
    await started.look()
    prediction = await started.predict(REQUEST)
    assert (prediction.version, prediction.served_by, prediction.id) == ("1", "model", REQUEST.id)
    np.testing.assert_allclose(prediction.outputs["violation"].sum(axis=1), 1, rtol=1e-5)


async def test_a_champion_that_serves_is_not_fetched_again(host: Host, mlflow: FakeMlflow, tmp_path: Path) -> None:
    mlflow.add("1", artefact(tmp_path / "one"))
    started = host()
    await started.look()
    files = len(mlflow.fetched)
    await started.look()
    await host().look()
    assert files == len(mlflow.fetched) == len(set(mlflow.fetched))


async def test_a_new_champion_takes_over_and_back_again(host: Host, mlflow: FakeMlflow, tmp_path: Path) -> None:
    started = host()
    for number in ("1", "2"):
        mlflow.add(number, artefact(tmp_path / number, seed=int(number)))
        await started.look()
        assert serving(started) == number
    mlflow.champion = "1"
    await started.look()
    assert serving(started) == "1"


async def test_a_challenger_is_followed_beside_the_champion(host: Host, mlflow: FakeMlflow, tmp_path: Path) -> None:
    for number in ("1", "2"):
        mlflow.add(number, artefact(tmp_path / number, seed=int(number)))
    mlflow.champion, mlflow.challenger = "1", "2"
    champion, challenger = host(), host(alias="challenger")
    for source in (champion, challenger):
        await source.look()
    assert (serving(champion), serving(challenger)) == ("1", "2")
    mlflow.challenger = None
    await challenger.look()
    with pytest.raises(NotLoaded, match="the registry has no challenger"):
        await challenger.predict(REQUEST)


async def test_no_request_fails_during_a_swap(host: Host, mlflow: FakeMlflow, tmp_path: Path) -> None:
    mlflow.add("1", artefact(tmp_path / "1"))
    started = host()
    await started.look()
    mlflow.add("2", artefact(tmp_path / "2", seed=2))
    swap = asyncio.create_task(started.look())
    versions = []
    while not swap.done():
        versions.append((await started.predict(REQUEST)).version)
        await asyncio.sleep(0)  # a quick model answers without giving way
    assert (await started.predict(REQUEST)).version == "2"
    assert set(versions) <= {"1", "2"}
    assert versions == sorted(versions)


async def test_a_quick_model_runs_where_it_is_asked_and_a_slow_one_in_a_thread(
    host: Host, mlflow: FakeMlflow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mlflow.add("1", artefact(tmp_path / "1"))
    started = host()
    await started.look()
    assert started.serving
    model = started.serving.model
    threads: list[threading.Thread] = []
    assert 0 < model.row_seconds < float("inf")
    run = model.run

    def noting(inputs: Arrays) -> Arrays:
        threads.append(threading.current_thread())
        return run(inputs)

    monkeypatch.setattr(model, "run", noting)
    for seconds in (QUICK_SECONDS / 3, QUICK_SECONDS / 2, QUICK_SECONDS):
        model.row_seconds = seconds
        await started.predict(REQUEST)
    assert [thread is threading.main_thread() for thread in threads] == [True, False, False]


def damaged(folder: Path) -> None:
    (folder / "model.onnx").write_bytes(onnx_bytes(99))


def without_model(folder: Path) -> None:
    (folder / "model.onnx").unlink()


def other_answer(folder: Path) -> None:
    (folder / "model.onnx").write_bytes(onnx_bytes(99))
    resealed(folder)


def other_type(folder: Path) -> None:
    (folder / "model.onnx").write_bytes(onnx_bytes(0, kind=TensorProto.DOUBLE))
    resealed(folder)


def no_model_at_all(folder: Path) -> None:
    (folder / "model.onnx").write_bytes(b"no ONNX")
    resealed(folder)


def resealed(folder: Path) -> None:
    seal(folder, Manifest.read(folder))


WIDER = (TensorSpec(name="features", datatype="FP32", shape=(-1, 5), meaning="numbers"),)
BROKEN: dict[str, tuple[str, dict[str, Any], Any]] = {
    "a damaged file": ("files", {}, damaged),
    "a missing file": ("files", {}, without_model),
    "another library": ("libraries", {"requires": {"numpy": "1.0.0"}}, None),
    "a library that is not here": ("libraries", {"requires": {"no-such-library": "1.0"}}, None),
    "other inputs": ("contract", {"inputs": WIDER}, None),
    "the name of another model": ("contract", {"name": "huge"}, None),
    "a default of the wrong width": ("contract", {"default": {"violation": [1.0]}}, None),
    "another answer on its sample": ("samples", {}, other_answer),
    "no sample": ("samples", {"samples": ()}, None),
    "other types in the ONNX": ("onnx", {}, other_type),
    "no ONNX": ("onnx", {}, no_model_at_all),
}


@pytest.mark.parametrize("what", BROKEN)
async def test_a_version_that_does_not_fit_is_refused_and_the_old_one_stays(
    what: str, host: Host, mlflow: FakeMlflow, tmp_path: Path
) -> None:
    reason, changes, breaking = BROKEN[what]
    mlflow.add("1", artefact(tmp_path / "1"))
    started = host()
    await started.look()
    folder = artefact(tmp_path / "2", seed=2, **changes)
    if breaking:
        breaking(folder)
    mlflow.add("2", folder)
    await started.look()
    assert serving(started) == "1"
    assert (await started.predict(REQUEST)).version == "1"
    assert started.trouble.startswith(f"version 2 is refused: {reason}:"), started.trouble


async def test_a_manifest_that_was_not_registered_is_refused(host: Host, mlflow: FakeMlflow, tmp_path: Path) -> None:
    mlflow.add("1", artefact(tmp_path / "1"))
    mlflow.tags["1"] = {"manifest_sha256": "0" * 64}
    started = host()
    await started.look()
    assert "not the one that was registered" in started.trouble
    mlflow.tags["1"], mlflow.changed = {}, mlflow.changed + 1
    await started.look()
    assert "no tag manifest_sha256" in started.trouble


async def test_what_was_refused_is_left_alone_for_a_while(
    host: Host, mlflow: FakeMlflow, tmp_path: Path, clock: Clock
) -> None:
    mlflow.add("1", artefact(tmp_path / "1"))
    damaged(tmp_path / "1")
    started = host()
    await started.look()
    files = len(mlflow.fetched)
    await started.look()
    assert len(mlflow.fetched) == files
    (tmp_path / "1" / "model.onnx").write_bytes(onnx_bytes(0))
    await started.look()
    assert serving(started) is None
    clock.now += TRY_REFUSED_AGAIN_SECONDS
    await started.look()
    assert serving(started) == "1"


async def test_who_needs_a_missing_model_makes_the_host_look_but_not_all_the_time(
    host: Host, mlflow: FakeMlflow, tmp_path: Path, clock: Clock
) -> None:
    started = host()
    await started.look()
    mlflow.add("1", artefact(tmp_path / "1"))
    await started.hurry()
    assert serving(started) is None
    clock.now += 1
    await asyncio.gather(*(started.hurry() for _ in range(5)))
    assert serving(started) == "1"
    assert len(mlflow.fetched) == len(set(mlflow.fetched))


async def test_with_the_registry_away_what_served_last_starts_from_disk(
    host: Host, mlflow: FakeMlflow, tmp_path: Path
) -> None:
    before = host()
    for number in ("1", "2"):
        mlflow.add(number, artefact(tmp_path / number, seed=int(number)))
        await before.look()
    mlflow.champion = "1"
    await before.look()
    mlflow.away = True
    after = host()
    await after.look()
    assert serving(after) == "1"


async def test_what_lies_on_disk_is_verified_too(host: Host, mlflow: FakeMlflow, tmp_path: Path) -> None:
    for number in ("1", "2"):
        mlflow.add(number, artefact(tmp_path / number, seed=int(number)))
        await host().look()
    damaged(next((tmp_path / "cache" / "tiny").glob("2-*")))
    mlflow.away = True
    after = host()
    await after.look()
    assert serving(after) == "1"


async def test_a_damaged_version_on_disk_is_fetched_anew(host: Host, mlflow: FakeMlflow, tmp_path: Path) -> None:
    mlflow.add("1", artefact(tmp_path / "1"))
    await host().look()
    damaged(next((tmp_path / "cache" / "tiny").glob("1-*")))
    after = host()
    await after.look()
    assert serving(after) == "1"


async def test_a_registry_that_was_emptied_may_reuse_numbers(host: Host, mlflow: FakeMlflow, tmp_path: Path) -> None:
    mlflow.add("1", artefact(tmp_path / "first"))
    started = host()
    await started.look()
    before = await started.predict(REQUEST)
    mlflow.add("1", artefact(tmp_path / "second", seed=5))
    await started.look()
    after = await started.predict(REQUEST)
    assert not np.allclose(before.outputs["violation"], after.outputs["violation"])


async def test_a_registry_that_goes_away_changes_nothing(host: Host, mlflow: FakeMlflow, tmp_path: Path) -> None:
    mlflow.add("1", artefact(tmp_path / "1"))
    started = host()
    await started.look()
    mlflow.away = True
    await started.look()
    assert (await started.predict(REQUEST)).version == "1"


async def test_replicas_that_fetch_together_both_serve(host: Host, mlflow: FakeMlflow, tmp_path: Path) -> None:
    mlflow.add("1", artefact(tmp_path / "1"))
    replicas = [host(), host()]
    await asyncio.gather(*(replica.look() for replica in replicas))
    assert [serving(replica) for replica in replicas] == ["1", "1"]
    assert not list((tmp_path / "cache" / "tiny").glob(".partial-*"))


async def test_two_versions_are_kept_on_disk(host: Host, mlflow: FakeMlflow, tmp_path: Path) -> None:
    started = host()
    for number in ("1", "2", "3"):
        mlflow.add(number, artefact(tmp_path / number, seed=int(number)))
        await started.look()
    assert len(list((tmp_path / "cache" / "tiny").glob("*-*"))) == 2


@pytest.mark.parametrize("name", ["../escape.txt", "/etc/passwd", "a/b"])
async def test_files_stay_in_their_folder(host: Host, mlflow: FakeMlflow, tmp_path: Path, name: str) -> None:
    folder = artefact(tmp_path / "1")
    manifest = contract().model_copy(update={"files": {name: "0" * 64}})
    (folder / "manifest.json").write_text(manifest.model_dump_json())
    mlflow.add("1", folder)
    started = host()
    await started.look()
    assert "not the plain name of a file" in started.trouble


async def test_a_registry_without_a_champion_does_not_stop_what_served_last(
    host: Host, mlflow: FakeMlflow, tmp_path: Path
) -> None:
    mlflow.add("1", artefact(tmp_path / "1"))
    await host().look()
    mlflow.champion = None
    after = host()
    await after.look()
    assert serving(after) == "1"
