"""The proxy on a real database, with predictors that do as they are told."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from services.chassis.service import Service, cancelled
from services.proxy.main import build
from tests.conftest import MakeBackends, MakeClient, MakeDatabase

Start = Callable[[], Awaitable["Running"]]


@dataclass
class Predictors:
    """Both of them, behind one transport: `/quick/predict` and `/slow/{predict,async}`, and the slow one's jobs."""

    quick: int = 200
    """The status it answers with; 0: it cannot be reached."""
    slow: int = 200
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    jobs: dict[str, str] = field(default_factory=dict)
    """Idempotency key -> state of the job."""
    asked: list[httpx.Request] = field(default_factory=list)
    served_by: str = "model"

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if request.url.path.startswith("/v2/jobs/"):
            return await self._job(request)
        name, _, endpoint = request.url.path.strip("/").partition("/")
        status = self.quick if name == "quick" else self.slow
        if status == 0:
            raise httpx.ConnectError("refused", request=request)
        if status != 200:
            fault = {"where": "body", "what": "no picture", "allowed": "a picture"}
            return answer({"detail": f"{name} says no", "errors": [fault]}, status)
        if endpoint == "async":
            job_id = request.headers.get("idempotency-key", "none")
            self.jobs.setdefault(job_id, "done")
            return httpx.Response(202, headers={"location": f"/v2/jobs/{job_id}"})
        if name == "slow":
            await self.go_on.wait()
        return answer(self.prediction(name))

    async def _job(self, request: httpx.Request) -> httpx.Response:
        state = self.jobs.get(request.url.path.rsplit("/", 1)[-1])
        if state is None:
            return answer({}, 404)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.go_on.wait(), float(request.url.params["wait"]))
        if not self.go_on.is_set():
            return answer({"state": "pending"}, 202)
        prediction = self.prediction("slow") if state == "done" else None
        return answer({"state": state, "prediction": prediction, "error": None if prediction else "three failures"})

    def prediction(self, name: str) -> dict[str, Any]:
        return {"model": name, "version": "1", "served_by": self.served_by, "category": {"label": "cat"}}

    def to(self, name: str) -> list[httpx.Request]:
        return [request for request in self.asked if request.url.path.startswith(f"/{name}/")]


def answer(body: Any, status: int = 200) -> httpx.Response:
    return httpx.Response(status, content=json.dumps(body).encode(), headers={"content-type": "application/json"})


@dataclass
class Running:
    """A proxy whose background runs until it is killed."""

    service: Service
    http: httpx.AsyncClient
    tasks: list[asyncio.Task[None]]

    async def killed(self) -> None:
        """Nothing of it goes on, and nothing is tidied."""
        await cancelled(self.tasks)


@pytest.fixture
def predictors() -> Predictors:
    return Predictors()


@pytest.fixture
async def start(
    predictors: Predictors,
    database: MakeDatabase,
    backends: MakeBackends,
    client: MakeClient,
    signed_in: Callable[..., dict[str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Start]:
    """`await start()`: a proxy on the one database of this test; again for another one."""
    settings = {"SVC_A": "http://a/quick", "SVC_B": "http://b/slow", "SVC_B_EP": "async", "LEASE_SECONDS": "0.4"}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    pool, started, caller = await database("proxy"), list[Running](), signed_in()

    async def starting() -> Running:
        service = build(backends(database=pool, transport=httpx.MockTransport(predictors)))
        http = client(service)
        http.headers.update(caller)
        tasks = [asyncio.ensure_future(loop()) for loop in service.loops]
        started.append(Running(service, http, tasks))
        return started[-1]

    yield starting
    for one in started:
        await one.killed()
