"""The process that schedules: what it tells while a run is under way."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from services.chassis.backends import Backends
from services.chassis.database import Database
from services.chassis.service import beside
from services.inference_batch import main
from services.inference_batch.batch_metrics import BatchMetrics
from services.inference_batch.runs import Run

Told = asyncio.Queue[Sequence[dict[str, Any]]]


async def test_a_run_that_misses_its_deadline_is_told_while_it_is_worked_on(
    database: Callable[[str], Awaitable[Database]],
    backends: Callable[..., Backends],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    batch, told, at_work = await database("inference_batch"), Told(), asyncio.Event()

    async def never_done(run: Run) -> bool:
        at_work.set()
        return await asyncio.Future[bool]()

    monkeypatch.setenv("BATCH_POLL_SECONDS", "0.05")
    monkeypatch.setattr(main, "done_by_a_child", never_done)
    monkeypatch.setattr(BatchMetrics, "look", lambda _, overview: told.put_nowait(overview))
    service = main.build(backends(database=batch))
    async with beside(*service.loops), asyncio.timeout(20):
        await at_work.wait()
        async with batch.connection() as connection:
            await connection.execute("UPDATE runs SET deadline_at = now() - interval '1 s'")
        while not any(job["overdue"] for job in await told.get()):
            pass
