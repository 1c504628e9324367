"""Lets a running platform learn from what was done: an operator asks its trainer, and waits until the models serve."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any

import httpx

from pipelines.simulate.remote import Api, Unexpected

PAUSE_SECONDS = 1.0
WAIT_SECONDS = 300.0
FINAL = ("succeeded", "failed", "interrupted")
IN_A_ROW = 8
"""Ready so often, one time after the other: hosts have replicas, and each answers in its turn."""

Say = Callable[[str], None]


class NotLearnt(Exception):
    """The platform has no new model."""


async def stored(api: Api, token: str, since: datetime, shown: int) -> None:
    """Wait until the warehouse has everything that simulated users were shown since."""

    async def all_there() -> bool:
        asked = {"since": since.isoformat()}
        figures = (await api.ask("GET", "/api/warehouse/figures", token, params=asked)).json()
        there: int = sum(group["impressions"] for group in figures["groups"] if group["simulated"])
        return there >= shown

    await until(all_there, f"{shown} impressions in the warehouse")


async def learn(api: Api, token: str, models: Sequence[str], say: Say, registry: str | None = None) -> None:
    """Train the models, make them champions, and wait until every replica serves them; raises NotLearnt."""
    body = {"models": list(models), "why": "scripts/simulate"}
    run = (await api.ask("POST", "/api/trainer/runs", token, json=body)).json()
    while run["state"] not in FINAL:
        await asyncio.sleep(PAUSE_SECONDS)
        run = (await api.ask("GET", f"/api/trainer/runs/{run['id']}")).json()
        say(f"training: {run['state']} {100 * (run.get('progress') or 0):.0f} % {run.get('stage') or ''}".rstrip())
    if run["state"] != "succeeded":
        raise NotLearnt(run.get("error") or run["state"])
    for model in models:
        if model not in run["versions"]:
            raise NotLearnt(f"{model}: {run['waiting'].get(model, 'no version came of it')}")
        await champion(api, model, run["versions"][model], registry)
        await served(api, token, model, run["versions"][model])
        say(f"{model}: version {run['versions'][model]} serves")


async def champion(api: Api, model: str, version: str, registry: str | None) -> None:
    """The first version is champion by itself; a later one is promoted, where the registry may be asked."""
    models = (await api.ask("GET", "/api/trainer/models")).json()["models"]
    now = next(one["champion"] for one in models if one["name"] == model)
    if now == version:
        return
    if registry is None:
        raise NotLearnt(f"{model} is version {version}, champion stays {now}: give --registry, or scripts/promote")
    body = {"name": model, "alias": "champion", "version": version}
    async with httpx.AsyncClient(base_url=registry, timeout=10) as mlflow:
        (await mlflow.post("/api/2.0/mlflow/registered-models/alias", json=body)).raise_for_status()


async def served(api: Api, token: str, model: str, version: str) -> None:
    """Wait until the hosts have taken it over."""
    in_a_row = 0

    async def ready() -> bool:
        nonlocal in_a_row
        try:
            told: dict[str, Any] = (await api.ask("GET", f"/v2/models/{model}", token)).json()
            loaded = version in told["versions"]
        except Unexpected:
            loaded = False
        in_a_row = in_a_row + 1 if loaded else 0
        return in_a_row >= IN_A_ROW

    await until(ready, f"version {version} of {model} in every host")


async def until(condition: Callable[[], Awaitable[bool]], what: str, seconds: float = WAIT_SECONDS) -> None:
    """Wait for it; raises NotLearnt when it does not come."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not await condition():
        if asyncio.get_running_loop().time() > deadline:
            raise NotLearnt(f"{what}: not within {seconds:.0f} s")
        await asyncio.sleep(PAUSE_SECONDS / 4)
