"""The process that does one run: it has the models, and ends with the run, so that nothing is held in between."""

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from typing import TextIO

from pydantic import Field

from services.chassis import logs
from services.chassis.backends import open_backends
from services.chassis.database import Database
from services.chassis.errors import BadInput
from services.chassis.service import Service, beside
from services.deny_list import DenySettings
from services.inference_batch import runs
from services.inference_batch.executing import Executor
from services.inference_batch.forecasting import MODEL, Forecasting
from services.inference_batch.happened import from_warehouse
from services.inference_batch.jobs import Job
from services.inference_batch.rescoring import PICTURE, TEXT, Rescoring
from services.inference_batch.runs import OPEN, Run
from services.inference_batch.windows import wanted
from services.predictors import Predictors, PredictorSettings, caught_up, declared_models, served

WIDTH = 30
WRONG_USE = 2
NEEDED = {Rescoring.name: (PICTURE, TEXT), Forecasting.name: (MODEL,)}
"""The models of each job: a process loads no others."""


class HostingSettings(DenySettings, PredictorSettings):
    """Settings of a run."""

    batch_chunk: int = Field(64, ge=1, le=1000, description="Rows worked on, and written, together.")
    batch_lease_seconds: float = Field(15.0, gt=0, description="A run whose process is silent so long is taken over.")
    batch_backoff_seconds: float = Field(5.0, gt=0, description="Before the second attempt; longer before later ones.")
    predict_seconds: float = Field(60.0, gt=0, description="A model later than this fails the rows it was asked for.")
    warehouse_url: str | None = Field(None, description="Where it is known what happened; unset: nothing did.")


async def once(job: str, window: str | None, out: TextIO | None) -> int:
    """0 when the run is done; one that another process does is waited for. Progress goes to `out`."""
    settings = HostingSettings()
    logs.configure("inference-batch", settings.log_format, "WARNING" if out else settings.log_level)
    async with open_backends(settings) as backends:
        service = Service("inference-batch", backends, summary="One run.")
        executor, predictors = executing(service, settings, job)
        try:
            run = await queued(backends.database, job, window)
        except BadInput as error:
            sys.stderr.write(f"inference-batch: {error}\n")
            return WRONG_USE
        async with beside(*service.loops):
            await caught_up(predictors)
            run = await _followed(backends.database, executor, run, out)
    return 0 if run.state == "done" else 1


def executing(service: Service, settings: HostingSettings, name: str) -> tuple[Executor, Predictors]:
    """What does the runs of this job, and the models it needs."""
    needed = NEEDED.get(name, ())
    declared = [model for model in declared_models(settings.model_packages) if model.manifest.name in needed]
    settings = settings.model_copy(update={"models": ""})  # the job says which
    predictors = served(service, settings, patience_seconds=settings.predict_seconds, declared=declared)
    executor = Executor(
        service.backends.database,
        {name: job_of(name, service, settings, predictors)} if needed else {},
        chunk=settings.batch_chunk,
        lease=timedelta(seconds=settings.batch_lease_seconds),
        backoff=timedelta(seconds=settings.batch_backoff_seconds),
    )
    return executor, predictors


def job_of(name: str, service: Service, settings: HostingSettings, predictors: Predictors) -> Job:
    """The job of that name."""
    if name == Forecasting.name:
        return Forecasting(predictors[MODEL], from_warehouse(service.backends.http, settings.warehouse_url))
    return Rescoring(predictors, service.backends.files, settings.deny_list)


async def queued(database: Database, job: str, window: str | None) -> Run:
    """The run that is meant; raises BadInput."""
    schedules = await runs.schedules(database, switched_off_too=True)
    schedule, found = wanted(schedules, job, window, datetime.now(UTC))
    return await runs.queue(database, schedule, found, "hand", "command line")


async def _followed(database: Database, executor: Executor, run: Run, out: TextIO | None) -> Run:
    """Do it, attempt by attempt, saying how far it is; a run of another process is only watched."""
    last = ""
    while run.state in OPEN:
        working = asyncio.create_task(executor.one(run.id))
        while not working.done():
            await asyncio.wait([working], timeout=0.5)
            run = await runs.find(database, run.id) or run
            last = _shown(run, last, out)
        if working.result() is None:  # it waits for its next attempt, or is another's
            await asyncio.sleep(0.5)
        run = await runs.find(database, run.id) or run
        last = _shown(run, last, out)
    if out and out.isatty():
        out.write("\n")
    return run


def _shown(run: Run, last: str, out: TextIO | None) -> str:
    """A bar on a terminal, elsewhere a line whenever something has changed."""
    done, total = run.done + run.failed, run.total or 0
    line = f"progress job={run.job} state={run.state} done={run.done} failed={run.failed} total={total}"
    if out is None or line == last:
        return last
    if out.isatty():
        filled = WIDTH * done // total if total else 0
        out.write(f"\r{run.job} [{'#' * filled}{'.' * (WIDTH - filled)}] {done}/{total} {run.state}   ")
    else:
        out.write(f"{line}\n")
    out.flush()
    return line
