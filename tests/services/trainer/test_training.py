"""The trainer trains what has no champion, resumes what was interrupted, and says how it goes; with real DVC."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.chassis.service import Service, beside
from tests.conftest import MakeClient

MakeTrainer = Callable[..., Service]
SignedIn = Callable[..., dict[str, str]]


async def listed(http: httpx.AsyncClient) -> list[dict[str, Any]]:
    answer = await http.get("/api/trainer/runs")
    runs: list[dict[str, Any]] = answer.json()["runs"]
    return runs


async def ended(http: httpx.AsyncClient, count: int = 1) -> list[dict[str, Any]]:
    """The runs, the newest first, as soon as so many have ended and none is open."""
    async with asyncio.timeout(60):
        while True:
            runs = await listed(http)
            if len(runs) >= count and all(run["finished_at"] for run in runs):
                return runs
            await asyncio.sleep(0.05)


def stages(workspace: Path, name: str) -> list[str]:
    return (workspace / "data" / f"{name}.log").read_text().split()


async def test_a_stage_that_the_system_killed_says_what_to_do(
    trainer: MakeTrainer, client: MakeClient, source: Path
) -> None:
    (source / "pipelines" / "stage.py").write_text("import os\nos.kill(os.getpid(), 9)\n")
    service = trainer("toy")
    async with beside(*service.loops):
        (run,) = await ended(client(service))
    assert run["state"] == "failed"
    assert "TRAINER_PROCESSES=1" in run["error"]


async def test_what_has_no_champion_is_trained_at_start(
    trainer: MakeTrainer, client: MakeClient, workspace: Path
) -> None:
    service = trainer("toy", "other")
    http = client(service)
    assert (await http.get("/health/ready")).status_code == 503
    async with beside(*service.loops):
        (run,) = await ended(http)
    assert (run["state"], run["trigger"], run["progress"]) == ("succeeded", "start", 1.0)
    assert run["versions"] == {"toy": "1", "other": "1"}
    assert 'trainer_runs_total{state="succeeded"} 1.0' in (await http.get("/metrics")).text
    assert (await http.get("/health/ready")).status_code == 200
    async with beside(*service.loops):
        assert await listed(http) == [run]
    assert (await http.get(f"/api/trainer/runs/{run['id']}")).json() == run


async def test_a_stage_that_fails_once_is_tried_again_and_what_is_done_is_not(
    trainer: MakeTrainer, client: MakeClient, source: Path, workspace: Path
) -> None:
    (source / "models" / "toy.register.txt").write_text("x")
    service = trainer("toy")
    async with beside(*service.loops):
        (run,) = await ended(client(service))
    assert run["state"] == "succeeded"
    assert stages(workspace, "toy") == ["train", "register", "register"]


async def test_a_stage_that_fails_twice_fails_the_run_and_not_the_other_model(
    trainer: MakeTrainer, client: MakeClient, source: Path, workspace: Path
) -> None:
    (source / "models" / "toy.train.txt").write_text("xx")
    service = trainer("toy", "other")
    http = client(service)
    async with beside(*service.loops):
        (run,) = await ended(http)
    assert run["state"] == "failed"
    assert "train does not want to" in run["error"]
    assert stages(workspace, "other") == ["train", "register"]
    ready = (await http.get("/health/ready")).json()
    assert ready["checks"]["models"].endswith(": toy")


async def test_a_trainer_that_died_is_resumed_by_the_next(
    trainer: MakeTrainer, client: MakeClient, workspace: Path, source: Path
) -> None:
    healthy = (source / "pipelines" / "stage.py").read_text()
    (source / "pipelines" / "stage.py").write_text("import time\ntime.sleep(600)\n")
    service = trainer("toy")
    http = client(service)
    async with beside(*service.loops):
        async with asyncio.timeout(30):
            while not (runs := await listed(http)) or runs[0]["stage"] != "toy/train":
                await asyncio.sleep(0.05)
    (source / "pipelines" / "stage.py").write_text(healthy)
    async with beside(*service.loops):
        resumed, dead = await ended(http, 2)
    assert dead["state"] == "interrupted"
    assert resumed["state"] == "succeeded"
    assert resumed["why"] == f"resumes {dead['id']}"


async def test_a_model_without_a_pipeline_is_named(trainer: MakeTrainer, client: MakeClient) -> None:
    service = trainer("unheard_of")
    async with beside(*service.loops):
        (run,) = await ended(client(service))
    assert (run["state"], run["error"]) == ("failed", "there is no pipelines/unheard_of/dvc.yaml")


async def test_what_is_half_written_is_not_there_yet(
    trainer: MakeTrainer,
    client: MakeClient,
    workspace: Path,
    signed_in: SignedIn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TRAINER_ALSO", "toy")
    service = trainer("other")
    http = client(service)
    for path in ("toy/train", "toy/register", "other/register"):
        (workspace / "data" / path).parent.mkdir(parents=True, exist_ok=True)
        (workspace / "data" / path).write_text("made")
    assert (await http.get("/health/ready")).status_code == 200
    answer = await http.post("/api/trainer/runs", json={"models": ["toy"]}, headers=signed_in(roles=("operator",)))
    assert answer.status_code == 202
    assert (await http.get("/health/ready")).json()["checks"]["models"] == "NotThereYet: toy"


async def test_operators_train_on_demand(
    trainer: MakeTrainer, client: MakeClient, signed_in: SignedIn, workspace: Path
) -> None:
    service = trainer("other")
    http = client(service)
    async with beside(*service.loops):
        header = signed_in(name="opal", roles=("operator",))
        asked = await http.post("/api/trainer/runs", json={"models": ["later"]}, headers=header)
        assert asked.status_code == 202
        assert asked.headers["location"] == f"/api/trainer/runs/{asked.json()['id']}"
        run = next(run for run in await ended(http, 2) if run["trigger"] == "demand")
    assert (run["state"], run["models"], run["requested_by"]) == ("succeeded", ["later"], "opal")
    assert stages(workspace, "toy") == ["train"]  # what `later` reads is made first
    assert stages(workspace, "later") == ["train", "register"]


async def test_who_may_not_train_and_what_cannot_be_trained(
    trainer: MakeTrainer, client: MakeClient, signed_in: SignedIn
) -> None:
    http = client(trainer("toy"))
    body = {"models": ["toy", "no_such"]}
    assert (await http.post("/api/trainer/runs", json=body)).status_code == 401
    assert (await http.post("/api/trainer/runs", json=body, headers=signed_in())).status_code == 403
    refused = await http.post("/api/trainer/runs", json=body, headers=signed_in(roles=("operator",)))
    assert refused.status_code == 422
    assert refused.json()["errors"] == [
        {"where": "models", "what": "there is no pipeline no_such", "allowed": "later, other, toy"}
    ]
    assert (await http.get("/api/trainer/runs/0190b3a0-0000-7000-8000-000000000000")).status_code == 404
    assert await listed(http) == []
