"""One run in this process, with its progress on the terminal, then the end."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import TextIO

from services.chassis import logs
from services.chassis.backends import open_backends
from services.chassis.database import Database
from services.chassis.errors import BadInput
from services.chassis.outbox import Relay
from services.chassis.service import Service
from services.inference_batch import runs
from services.inference_batch.batch_metrics import BatchMetrics
from services.inference_batch.executing import Executor
from services.inference_batch.routes import wanted
from services.inference_batch.runs import OPEN, Run
from services.predictors import PredictorSettings

Executing = Callable[[Service, object], tuple[Executor, BatchMetrics]]
WIDTH = 30
WRONG_USE = 2


async def once(
    executing: Callable[..., tuple[Executor, BatchMetrics]],
    settings: PredictorSettings,
    job: str,
    window: str | None,
    out: TextIO,
) -> int:
    """0 when the run is done; one that another process does is waited for."""
    logs.configure("inference-batch", settings.log_format, "WARNING")
    async with open_backends(settings) as backends:
        service = Service("inference-batch", backends, summary="One run.")
        executor, _ = executing(service, settings)
        try:
            schedule, found = await wanted(backends.database, job, window)
        except BadInput as error:
            out.write(f"inference-batch: {error}\n")
            return WRONG_USE
        run = await runs.queue(backends.database, schedule, found, "hand", "command line")
        loops = [asyncio.create_task(loop()) for loop in service.loops]
        try:
            run = await _followed(backends.database, executor, run, out)
            await Relay(backends.database, backends.bus, service.metrics).send_due()
        finally:
            for loop in loops:
                loop.cancel()
            await asyncio.gather(*loops, return_exceptions=True)
    return 0 if run.state == "done" else 1


async def _followed(database: Database, executor: Executor, run: Run, out: TextIO) -> Run:
    """Do it, attempt by attempt, saying how far it is; a run of another process is only watched."""
    last = ""
    working: asyncio.Task[Run | None] | None = None
    while run.state in OPEN:
        if working is None or working.done():
            if working is not None:
                working.result()
            working = asyncio.create_task(executor.one(run.id))
        await asyncio.wait([working], timeout=0.5)
        if working.done() and working.result() is None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.Event().wait(), 0.5)
        run = await runs.find(database, run.id) or run
        last = _shown(run, last, out)
    out.write("\n" if out.isatty() else "")
    return run


def _shown(run: Run, last: str, out: TextIO) -> str:
    """A bar on a terminal, elsewhere a line whenever something has changed."""
    done, total = run.done + run.failed, run.total or 0
    line = f"progress job={run.job} state={run.state} done={run.done} failed={run.failed} total={total}"
    if line == last:
        return last
    if out.isatty():
        filled = WIDTH * done // total if total else 0
        out.write(f"\r{run.job} [{'#' * filled}{'.' * (WIDTH - filled)}] {done}/{total} {run.state}   ")
    else:
        out.write(f"{line}\n")
    out.flush()
    return line
