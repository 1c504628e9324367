"""From a registered version to an image in a registry, over HTTP."""

import asyncio
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from models.contract import TensorSpec
from tests.conftest import MakeClient
from tests.services.image_builder.conftest import LINEAGE, Builders, small_base
from tests.services.image_builder.shelf import Shelf, sha256
from tests.services.sources.tiny import FakeMlflow, artefact, contract

URL = "/api/image-builder/images"
REPOSITORY = "models/tiny"


async def built(http: httpx.AsyncClient, status: int = 201, **more: Any) -> dict[str, Any]:
    answer = await http.post(URL, json={"model": "tiny", **more})
    assert answer.status_code == status, answer.text
    return dict(answer.json())


async def test_the_champion_becomes_an_image_on_the_base(
    operator: httpx.AsyncClient, mlflow: FakeMlflow, shelf: Shelf, tmp_path: Path
) -> None:
    mlflow.add("1", artefact(tmp_path / "one", lineage=LINEAGE))
    answer = await built(operator)
    assert answer["reference"] == "localhost:8380/models/tiny:1"
    assert answer["digest"] == sha256(shelf.tags[REPOSITORY, "1"])
    assert [layer["name"] for layer in answer["image"]["layers"]] == ["os", "venv", "app", "model"]
    assert answer["image"]["asked_by"] == "olga"
    assert len(shelf.manifest(REPOSITORY, "1")["layers"]) == 4


async def test_its_config_is_written_from_nothing(
    operator: httpx.AsyncClient, mlflow: FakeMlflow, shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_SECRET", "hunter2")
    mlflow.add("1", artefact(tmp_path / "one", lineage=LINEAGE))
    await built(operator)
    config = shelf.document(REPOSITORY, shelf.manifest(REPOSITORY, "1")["config"])
    assert config["created"] == "1970-01-01T00:00:00Z"
    assert config["config"]["Env"] == ["MODEL_FOLDER=/model", "PATH=/venv/bin"]
    assert config["config"]["User"] == "10001:10001"
    assert len(config["rootfs"]["diff_ids"]) == 4
    everything = b"".join(data for held in shelf.blobs.values() for data in held.values())
    assert b"hunter2" not in everything
    assert str(tmp_path).encode() not in everything


async def test_its_labels_are_the_lineage(
    operator: httpx.AsyncClient, mlflow: FakeMlflow, shelf: Shelf, tmp_path: Path
) -> None:
    mlflow.add("1", artefact(tmp_path / "one", lineage=LINEAGE))
    await built(operator)
    labels = shelf.document(REPOSITORY, shelf.manifest(REPOSITORY, "1")["config"])["config"]["Labels"]
    expected = {
        "model.git.commit": "a" * 40,
        "model.data.sha256": "c" * 64,
        "model.parameters": '{"c":1.0}',
        "model.metrics": '{"accuracy":0.9}',
        "model.author": "Aki",
        "model.approver": "Bo",
        "model.expires": "2027-01-01T00:00:00Z",
        "model.sha256": sha256((tmp_path / "one" / "model.onnx").read_bytes()).removeprefix("sha256:"),
    }
    assert expected.items() <= labels.items()
    assert '"name":"features"' in labels["model.contract"]


async def test_again_is_the_same_image_and_sends_nothing(
    operator: httpx.AsyncClient, mlflow: FakeMlflow, tmp_path: Path
) -> None:
    mlflow.add("1", artefact(tmp_path / "one"))
    first = await built(operator)
    again = await built(operator, status=200, version="1")
    assert (again["digest"], again["bytes_pushed"]) == (first["digest"], 0)
    assert first["bytes_pushed"] > 0


async def test_a_registry_that_lost_everything_gets_the_same_image(
    operator: httpx.AsyncClient, mlflow: FakeMlflow, shelf: Shelf, tmp_path: Path
) -> None:
    mlflow.add("1", artefact(tmp_path / "one"))
    first = await built(operator)
    shelf.blobs.clear()
    shelf.tags.clear()
    again = await built(operator)
    assert again["digest"] == first["digest"] == sha256(shelf.tags[REPOSITORY, "1"])


async def test_the_times_and_modes_of_files_do_not_count(
    operator: httpx.AsyncClient, mlflow: FakeMlflow, tmp_path: Path
) -> None:
    mlflow.add("1", artefact(tmp_path / "one"))
    shutil.copytree(tmp_path / "one", tmp_path / "copy")
    for file in (tmp_path / "copy").iterdir():
        os.utime(file, (1, 1))
        file.chmod(0o600)
    first = await built(operator)
    mlflow.artefacts["1"] = tmp_path / "copy"
    assert (await built(operator, tag="another"))["digest"] == first["digest"]


async def test_the_next_version_sends_its_own_layer_only(
    operator: httpx.AsyncClient, mlflow: FakeMlflow, shelf: Shelf, tmp_path: Path
) -> None:
    mlflow.add("1", artefact(tmp_path / "one"))
    first = await built(operator)
    before = len(shelf.received)
    mlflow.add("2", artefact(tmp_path / "two", seed=2))
    second = await built(operator)
    base = {layer["digest"] for layer in first["image"]["layers"][:3]}
    assert base == {layer["digest"] for layer in second["image"]["layers"][:3]}
    assert base.isdisjoint(shelf.received[before:])
    assert len([digest for digest in shelf.received if digest in base]) == 3


async def test_a_tag_is_never_overwritten(
    operator: httpx.AsyncClient, mlflow: FakeMlflow, shelf: Shelf, tmp_path: Path
) -> None:
    mlflow.add("1", artefact(tmp_path / "one"))
    first = await built(operator)
    mlflow.add("1", artefact(tmp_path / "refilled", seed=2))
    problem = await built(operator, status=409)
    assert first["digest"] == sha256(shelf.tags[REPOSITORY, "1"])
    assert "manifest" in problem["detail"]
    assert (await built(operator, tag="1-again"))["digest"] != first["digest"]


async def test_another_base_does_not_move_the_tag_either(
    operator: httpx.AsyncClient,
    builder: Builders,
    client: MakeClient,
    mlflow: FakeMlflow,
    shelf: Shelf,
    tmp_path: Path,
) -> None:
    mlflow.add("1", artefact(tmp_path / "one"))
    first = await built(operator)
    small_base(tmp_path / "other", architecture="arm64")
    later = client(builder(base=tmp_path / "other"))
    later.headers.update(operator.headers)
    assert "base" in (await built(later, status=409))["detail"]
    assert first["digest"] == sha256(shelf.tags[REPOSITORY, "1"])


async def test_what_somebody_else_pushed_stays(
    operator: httpx.AsyncClient, mlflow: FakeMlflow, shelf: Shelf, tmp_path: Path
) -> None:
    shelf.tags[REPOSITORY, "1"] = b"theirs"
    mlflow.add("1", artefact(tmp_path / "one"))
    assert "somebody else" in (await built(operator, status=409))["detail"]
    assert shelf.tags[REPOSITORY, "1"] == b"theirs"


async def test_several_at_once_build_one_image(
    operator: httpx.AsyncClient, mlflow: FakeMlflow, shelf: Shelf, tmp_path: Path
) -> None:
    mlflow.add("1", artefact(tmp_path / "one"))
    answers = await asyncio.gather(*(operator.post(URL, json={"model": "tiny"}) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 201]
    assert len({answer.json()["digest"] for answer in answers}) == 1
    assert len(shelf.received) == len(set(shelf.received))


WIDER = TensorSpec(name="features", datatype="FP32", shape=(-1, 5), meaning="numbers", minimum=0, maximum=100)


@pytest.mark.parametrize(
    ("changes", "where", "what"),
    [
        ({"requires": {"numpy": "1.0.0"}}, ["requires.numpy"], "needs numpy 1.0.0, here is"),
        ({"requires": {"nonesuch": "1.0", "numpy": "0.1"}}, ["requires.nonesuch", "requires.numpy"], "not installed"),
        ({"inputs": (WIDER,)}, ["contract"], "this host makes"),
    ],
)
async def test_a_pair_that_does_not_fit_is_refused_with_what_differs(
    operator: httpx.AsyncClient,
    mlflow: FakeMlflow,
    shelf: Shelf,
    tmp_path: Path,
    changes: dict[str, Any],
    where: list[str],
    what: str,
) -> None:
    mlflow.add("1", artefact(tmp_path / "one", **changes))
    problem = await built(operator, status=409)
    assert [fault["where"] for fault in problem["errors"]] == where
    assert what in problem["detail"]
    assert shelf.tags == {}


async def test_a_damaged_version_is_refused(operator: httpx.AsyncClient, mlflow: FakeMlflow, tmp_path: Path) -> None:
    mlflow.add("1", artefact(tmp_path / "one"))
    (tmp_path / "one" / "model.onnx").write_bytes(b"something else")
    assert "model.onnx" in (await built(operator, status=409))["detail"]


async def test_the_model_alone_is_an_artefact(
    operator: httpx.AsyncClient, mlflow: FakeMlflow, shelf: Shelf, tmp_path: Path
) -> None:
    mlflow.add("1", artefact(tmp_path / "one", lineage=LINEAGE))
    answer = await built(operator)
    manifest = shelf.manifest("artefacts/tiny", "1")
    assert answer["artefact"]["digest"] == sha256(shelf.tags["artefacts/tiny", "1"])
    assert manifest["artifactType"] == "application/vnd.model.onnx.v1"
    assert manifest["config"]["mediaType"] == "application/vnd.oci.empty.v1+json"
    titles = [layer["annotations"]["org.opencontainers.image.title"] for layer in manifest["layers"]]
    assert titles == sorted(path.name for path in (tmp_path / "one").iterdir())
    assert "onnxruntime" in manifest["annotations"]["model.runtime"]
    assert manifest["annotations"]["model.author"] == "Aki"


@pytest.mark.parametrize(("roles", "status"), [((), 403), (("moderator",), 403)])
async def test_only_operators_build_and_look(
    builder: Builders, client: MakeClient, signed_in: Callable[..., dict[str, str]], roles: tuple[str, ...], status: int
) -> None:
    http = client(builder())
    assert (await http.get(URL)).status_code == 401
    assert (await http.get(URL, headers=signed_in(roles=roles))).status_code == status
    assert (await http.post(URL, json={"model": "tiny"}, headers=signed_in(roles=roles))).status_code == status


@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        ({"model": "tiny"}, 404),
        ({"model": "tiny", "version": "7"}, 404),
        ({"model": "../tiny"}, 422),
        ({"model": "tiny", "version": "latest"}, 422),
        ({"model": "tiny", "tag": "a b"}, 422),
        ({}, 422),
    ],
)
async def test_what_does_not_exist_is_said(operator: httpx.AsyncClient, wanted: dict[str, str], status: int) -> None:
    assert (await operator.post(URL, json=wanted)).status_code == status


async def test_what_was_built_is_listed(operator: httpx.AsyncClient, mlflow: FakeMlflow, tmp_path: Path) -> None:
    for number in ("1", "2"):
        mlflow.add(number, artefact(tmp_path / number, seed=int(number)))
        await built(operator)
    images = (await operator.get(URL, params={"name": "tiny"})).json()["images"]
    assert [(it["kind"], it["tag"]) for it in images] == [
        ("image", "2"),
        ("artefact", "2"),
        ("image", "1"),
        ("artefact", "1"),
    ]
    assert (await operator.get(URL, params={"name": "other"})).json() == {"images": []}


async def test_a_registry_that_is_away_is_said(
    operator: httpx.AsyncClient, mlflow: FakeMlflow, shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    mlflow.add("1", artefact(tmp_path / "one"))
    monkeypatch.setattr(shelf, "answer", away)
    assert (await built(operator, status=503))["status"] == 503


async def test_a_registry_that_refuses_is_quoted(
    operator: httpx.AsyncClient, mlflow: FakeMlflow, shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(request: httpx.Request) -> httpx.Response:
        return httpx.Response(500, text="no space left on device")

    mlflow.add("1", artefact(tmp_path / "one"))
    monkeypatch.setattr(shelf, "answer", full)
    assert "no space left" in (await built(operator, status=502))["detail"]


def test_the_contract_of_the_tests_is_what_the_base_knows() -> None:
    assert contract().name == "tiny"
