"""A model that answers as it is told, and the jobs of a service that has it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import httpx
import numpy as np
import pytest

from models.contract import Arrays, Manifest
from models.text_violation.contract import contract
from services.chassis.service import Service, cancelled
from services.inference_async.answering import Answers
from services.inference_async.job_metrics import JobMetrics
from services.inference_async.main import InferenceAsyncSettings, offer_jobs
from services.prediction import Prediction, PredictionRequest
from services.predictors import Predictors
from tests.conftest import MakeBackends, MakeClient, MakeDatabase


@dataclass
class FakePredictor:
    """A model of texts; `answers` says what happens when it is asked, one entry a time, the last one for good."""

    name: str = "text_violation"
    answers: list[Any] = field(default_factory=lambda: ["model"])
    asked: list[PredictionRequest] = field(default_factory=list)
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)
    manifest: Manifest = field(default_factory=contract)
    takes_text: bool = True

    @property
    def source(self) -> Any:
        async def hurry() -> None:
            return None

        return SimpleNamespace(hurry=hurry)

    @property
    def threads(self) -> Any:
        async def run(call: Callable[..., Any], *arguments: Any) -> Any:
            return call(*arguments)

        return SimpleNamespace(run=run)

    @property
    def features(self) -> Any:
        def encode(raw: bytes) -> Arrays:
            if raw == b"unreadable":
                raise ValueError("it cannot be read")
            return {"features": np.zeros((1, 16384), np.float32)}

        def answer(manifest: Manifest, outputs: Arrays) -> dict[str, Any]:
            return {"violation": {"label": "ok", "score": float(outputs["violation"][0][0])}}

        return SimpleNamespace(encode=encode, answer=answer)

    async def predict(self, request: PredictionRequest) -> Prediction:
        self.asked.append(request)
        await self.may_answer.wait()
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        outputs = {"violation": np.zeros((request.rows, 3), np.float32)}
        if answer == "model":
            return Prediction(request.id, self.name, "3", outputs)
        return Prediction(request.id, self.name, "default", outputs, "default", answer)


@pytest.fixture
def model() -> FakePredictor:
    made = FakePredictor()
    made.may_answer.set()
    return made


@dataclass
class Running:
    """A process of the service, as far as jobs go."""

    service: Service
    http: httpx.AsyncClient
    tasks: list[asyncio.Task[None]]

    def metric(self, name: str, **labels: str) -> float:
        return self.service.metrics.registry.get_sample_value(name, labels) or 0.0

    async def die(self) -> None:
        """As a killed process does: nothing is put back, nothing is finished."""
        await cancelled(self.tasks)


Start = Callable[..., Awaitable[Running]]


@pytest.fixture
async def start(
    backends: MakeBackends, database: MakeDatabase, client: MakeClient, model: FakePredictor
) -> AsyncIterator[Start]:
    """`await start(transport=..., **settings)`: one more process on the same database."""
    pool = await database("inference_async")
    async with AsyncExitStack() as stack:

        async def started(
            transport: httpx.AsyncBaseTransport | None = None, with_model: FakePredictor | None = None, **settings: Any
        ) -> Running:
            service = Service("inference-async", backends(pool, transport), max_body_bytes=1 << 20)
            chosen = with_model or model
            given = InferenceAsyncSettings(**settings)
            models = cast(Predictors, {chosen.name: chosen})
            answers = Answers(models, patience_seconds=given.job_patience_seconds, max_batch=given.max_batch)
            offer_jobs(service, given, answers, JobMetrics(service.metrics.registry))
            tasks = [asyncio.create_task(loop()) for loop in service.loops]
            running = Running(service, client(service), tasks)
            stack.push_async_callback(running.die)
            return running

        yield started
