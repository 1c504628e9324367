"""What nobody waits for is trained afterwards; not enough data is no failure; how every model stands is told."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.chassis.service import Service, beside
from services.trainer.repro import MOST_POLITE, POLITE
from tests.conftest import MakeClient
from tests.services.trainer.test_training import ended, stages

MakeTrainer = Callable[..., Service]


@pytest.fixture(autouse=True)
def models(source: Path) -> None:
    """All three pipelines make a model."""
    for name in ("toy", "other", "later"):
        (source / "models" / name).mkdir()
        (source / "models" / name / "contract.py").write_text("")


async def standings(http: httpx.AsyncClient) -> dict[str, dict[str, Any]]:
    answer = await http.get("/api/trainer/models")
    assert answer.status_code == 200, answer.text
    return {one["name"]: one for one in answer.json()["models"]}


async def test_the_required_models_come_first_and_the_rest_one_by_one(
    trainer: MakeTrainer, client: MakeClient, workspace: Path
) -> None:
    service = trainer("other")
    http = client(service)
    before = await standings(http)
    assert [(name, one["state"], one["required"]) for name, one in before.items()] == [
        ("other", "waiting", True), ("later", "waiting", False), ("toy", "waiting", False)
    ]  # fmt: skip
    async with beside(*service.loops):
        runs = await ended(http, 3)
    assert [(run["models"], run["trigger"], run["state"]) for run in reversed(runs)] == [
        (["other"], "start", "succeeded"), (["later"], "rest", "succeeded"), (["toy"], "rest", "succeeded")
    ]  # fmt: skip
    assert {one["state"] for one in (await standings(http)).values()} == {"registered"}
    assert POLITE < MOST_POLITE


async def test_the_rest_can_be_left_alone(
    trainer: MakeTrainer, client: MakeClient, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRAIN_THE_REST", "false")
    service = trainer("other")
    http = client(service)
    async with beside(*service.loops):
        assert len(await ended(http)) == 1
    found = await standings(http)
    assert (found["toy"]["state"], found["toy"]["why"]) == (
        "no champion", "nobody has asked for it: scripts/train toy"
    )  # fmt: skip
    assert not (workspace / "data" / "toy.log").exists()


async def test_one_of_the_rest_that_fails_is_named_and_stops_nothing(
    trainer: MakeTrainer, client: MakeClient, source: Path
) -> None:
    (source / "models" / "later.train.txt").write_text("xx")
    service = trainer("other")
    http = client(service)
    async with beside(*service.loops):
        await ended(http, 3)
    found = await standings(http)
    assert found["toy"]["state"] == "registered"
    assert found["later"]["state"] == "no champion"
    assert "failed" in found["later"]["why"]
    assert (await http.get("/health/ready")).status_code == 200, "nobody waits for the rest"


async def test_not_enough_data_is_no_failure(
    trainer: MakeTrainer, client: MakeClient, source: Path, registry: httpx.MockTransport
) -> None:
    stage = source / "pipelines" / "stage.py"
    told = 'if name == "toy" and stage == "register":\n    print("waiting model=toy why=12 of 500 impressions")\nel'
    stage.write_text(stage.read_text().replace('if stage == "register"', told + 'if stage == "register"'))
    inner = registry.handler

    def without_toy(request: httpx.Request) -> httpx.Response:
        answer = inner(request)
        assert isinstance(answer, httpx.Response)
        return httpx.Response(404) if request.url.params["name"] == "toy" else answer

    registry.handler = without_toy
    service = trainer("other")
    http = client(service)
    async with beside(*service.loops):
        run = next(run for run in await ended(http, 3) if run["models"] == ["toy"])
    assert (run["state"], run["waiting"], run["versions"]) == ("succeeded", {"toy": "12 of 500 impressions"}, {})
    toy = (await standings(http))["toy"]
    assert (toy["state"], toy["why"]) == ("waiting", "12 of 500 impressions")


async def test_what_people_ask_for_goes_before_the_rest(
    trainer: MakeTrainer, client: MakeClient, signed_in: Callable[..., dict[str, str]], workspace: Path
) -> None:
    service = trainer("other")
    http = client(service)
    asked = await http.post("/api/trainer/runs", json={"models": ["toy"]}, headers=signed_in(roles=("operator",)))
    assert asked.status_code == 202
    async with beside(*service.loops):
        runs = await ended(http, 3)
    order = [run["models"] for run in sorted(runs, key=lambda run: run["started_at"])]
    assert order.index(["toy"]) < order.index(["later"])
    assert stages(workspace, "toy").count("train") == 1


async def test_a_model_that_is_being_trained_says_how_far_it_is(
    trainer: MakeTrainer, client: MakeClient, source: Path
) -> None:
    (source / "pipelines" / "stage.py").write_text("import time\ntime.sleep(600)\n")
    service = trainer("other")
    http = client(service)
    async with beside(*service.loops), asyncio.timeout(30):
        while (found := (await standings(http))["other"])["stage"] != "other/train":
            await asyncio.sleep(0.05)
    assert found["state"] == "training"


async def test_while_mlflow_is_away_nothing_is_claimed(
    trainer: MakeTrainer, client: MakeClient, registry: httpx.MockTransport
) -> None:
    registry.handler = lambda request: httpx.Response(500)
    assert (await client(trainer("other")).get("/api/trainer/models")).status_code == 503
