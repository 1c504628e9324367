"""The status page of the platform: who is up, who made the models, how long an item takes."""

import asyncio
import time
from dataclasses import dataclass
from typing import Any

import httpx
from fastapi import APIRouter, Request, Response

from services.web.app import App
from services.web.remote import together, unless_resting
from services.web.visit import CurrentVisit, Visit

PROBE_SECONDS = 1.0
MOST_METRICS = 6
MOST_HAPPENINGS = 10
MAIN_METRICS = ("accuracy", "auc", "recall")
MAKERS = ("git_commit", "dirty", "author", "purpose", "trained_at")
READY_PATH = {"mlflow": "/health"}


@dataclass(frozen=True)
class Pulse:
    """What one process said when it was asked whether it is ready."""

    name: str
    state: str
    milliseconds: float
    why: str = ""


def routes(app: App, http: httpx.AsyncClient) -> APIRouter:
    """`/status`."""
    router = APIRouter(include_in_schema=False)

    @router.get("/status")
    async def _status(request: Request, visit: CurrentVisit) -> Response:
        pulses, models, runs, standings, statistics, alerts, notes = await together(
            *(pulses_of(app, http), models_of(app), _runs(app, visit), standings_of(app), _statistics(app)),
            *(_happened(app, visit, "alerts"), _happened(app, visit, "annotations")),
        )
        values = {"pulses": pulses, "models": models, "runs": runs, "statistics": statistics, "standings": standings}
        values |= {"operates": visit.operates, "alerts": alerts, "notes": notes}
        return app.pages.draw(request, "status.html", **values)

    return router


async def pulses_of(app: App, http: httpx.AsyncClient) -> list[Pulse]:
    """Every replica of every service, asked at the same time."""
    asked = []
    for name, addresses in app.remote.addresses.items():
        for number, address in enumerate(addresses, 1):
            shown = f"{name} {number}" if len(addresses) > 1 else name
            asked.append(pulse(http, shown, address + READY_PATH.get(name, "/health/ready")))
    return [*await asyncio.gather(*asked), Pulse("web", "ready", 0.0)]


async def pulse(http: httpx.AsyncClient, name: str, url: str) -> Pulse:
    """Ask one process; silence is an answer too."""
    started = time.perf_counter()
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            response = await http.get(url, timeout=PROBE_SECONDS)
    except (httpx.HTTPError, TimeoutError) as error:
        return Pulse(name, "dead", _since(started), type(error).__name__)
    state = "ready" if response.status_code == 200 else "waiting"
    return Pulse(name, state, _since(started), "" if state == "ready" else _failing(response))


def _since(started: float) -> float:
    return (time.perf_counter() - started) * 1000


def _failing(response: httpx.Response) -> str:
    try:
        checks = response.json()["checks"]
        return ", ".join(f"{name}: {found}" for name, found in checks.items() if found != "ok")[:200]
    except (ValueError, KeyError, TypeError, AttributeError):
        return str(response.status_code)


async def models_of(app: App) -> list[dict[str, Any]] | None:
    """Every model that is served with what is known of its making; None while the host rests."""
    index = await unless_resting(app.remote.json("inference-sync", "POST", "/v2/repository/index", json={}), None)
    if index is None:
        return None
    return [described(entry) for entry in index]


def described(entry: dict[str, Any]) -> dict[str, Any]:
    """One model of the index with all that the page shows of it."""
    lineage = entry.get("lineage") or {}
    metrics = {name: value for name, value in (lineage.get("metrics") or {}).items() if isinstance(value, int | float)}
    main = sorted(metrics, key=lambda name: (not name.endswith(MAIN_METRICS), len(name), name))[:MOST_METRICS]
    return {
        "name": entry["name"],
        "title": entry.get("title") or entry["name"],
        "version": entry.get("version") or "",
        "served_by": "model" if entry.get("state") == "READY" else "default",
        "reason": entry.get("reason") or "",
        "lineage": {name: lineage.get(name) for name in MAKERS} if lineage else None,
        "metrics": {name: metrics[name] for name in main},
    }


async def standings_of(app: App) -> list[dict[str, Any]] | None:
    """How the trainer says it stands with every model; None while it rests."""
    answer = await unless_resting(app.remote.json("trainer", "GET", "/api/trainer/models", within=2), None)
    return list(answer["models"]) if answer else None


async def _runs(app: App, visit: Visit) -> Any:
    asked = app.remote.json("trainer", "GET", "/api/trainer/runs", params={"limit": 10}, token=visit.token, within=2)
    answer = await unless_resting(asked, None)
    return answer["runs"] if answer else None


async def _happened(app: App, visit: Visit, what: str) -> Any:
    """The newest alerts or annotations, for operators; None while monitoring rests."""
    if not visit.operates:
        return None
    path, asked = f"/api/monitoring/{what}", {"limit": MOST_HAPPENINGS}
    answer = await unless_resting(
        app.remote.json("monitoring", "GET", path, params=asked, token=visit.token, within=2), None
    )
    return answer[what] if answer else None


async def _statistics(app: App) -> Any:
    return await unless_resting(app.remote.json("items", "GET", "/api/items/statistics", within=2), None)
