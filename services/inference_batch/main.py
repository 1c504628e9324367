"""Scheduled jobs over tables: collect, then work on it at a set time, by a deadline, every row exactly once."""

import argparse
import asyncio
import logging
import sys
from collections.abc import Sequence
from datetime import timedelta

from pydantic import Field

from services.chassis.backends import Backends
from services.chassis.service import Service
from services.contracts import (
    CloudEvent,
    ItemEvent,
    ItemLiked,
    ItemPublished,
    ItemRegistered,
    ItemRemoved,
    ItemScreened,
    RescoringApplied,
)
from services.inference_batch import by_hand, facts, runs, settling
from services.inference_batch.batch_metrics import BatchMetrics
from services.inference_batch.executing import Executor
from services.inference_batch.rescoring import Rescoring
from services.inference_batch.routes import routes
from services.inference_batch.scheduling import queue_due
from services.predictors import PredictorSettings, served

log = logging.getLogger(__name__)
FACTS: tuple[type[ItemEvent], ...] = (ItemRegistered, ItemScreened, ItemPublished, ItemRemoved, ItemLiked)


class InferenceBatchSettings(PredictorSettings):
    """Settings of this host."""

    batch_chunk: int = Field(64, ge=1, le=1000, description="Rows worked on, and written, together.")
    batch_poll_seconds: float = Field(5.0, gt=0, description="How often to look for what is due.")
    batch_lease_seconds: float = Field(15.0, gt=0, description="A run whose process is silent so long is taken over.")
    batch_backoff_seconds: float = Field(5.0, gt=0, description="Before the second attempt; longer before later ones.")
    predict_seconds: float = Field(60.0, gt=0, description="A model later than this fails the rows it was asked for.")


def build(backends: Backends) -> Service:
    """model-load -> patterns -> jobs over tables."""
    settings = InferenceBatchSettings()
    database = backends.database
    service = Service("inference-batch", backends, summary="Scheduled jobs over tables.")
    executor, metrics = executing(service, settings)
    relay = service.relay()
    service.app.include_router(routes(database))

    async def _remember(data: ItemEvent, event: CloudEvent) -> None:
        await facts.remember(database, data, event)

    for kind in FACTS:
        service.consumes(kind)(_remember)

    @service.consumes(RescoringApplied)
    async def _applied(data: RescoringApplied, event: CloudEvent) -> None:
        await settling.settled(database, event)

    @service.every(settings.batch_poll_seconds)
    async def _turn() -> None:
        for job in await queue_due(database, executor.jobs):
            log.warning("a schedule names an unknown job: %s", job, extra={"action": "batch.unknown_job"})
        while await executor.one():
            relay.wake()
            metrics.look(await runs.overview(database))
        metrics.look(await runs.overview(database))

    return service


def executing(service: Service, settings: InferenceBatchSettings) -> tuple[Executor, BatchMetrics]:
    """What does the runs of every job."""
    predictors = served(service, settings, patience_seconds=settings.predict_seconds)
    jobs = [Rescoring(predictors, service.backends.files)]
    metrics = BatchMetrics(service.metrics.registry)
    executor = Executor(
        service.backends.database,
        {job.name: job for job in jobs},
        metrics,
        chunk=settings.batch_chunk,
        lease=timedelta(seconds=settings.batch_lease_seconds),
        backoff=timedelta(seconds=settings.batch_backoff_seconds),
    )
    return executor, metrics


def run(arguments: Sequence[str]) -> int:
    """One run in this process, then the end: what a CronJob calls. `--run JOB [--window START/END]`."""
    parser = argparse.ArgumentParser(prog="inference-batch")
    parser.add_argument("--run", required=True, metavar="JOB")
    parser.add_argument("--window", metavar="START/END")
    given = parser.parse_args(list(arguments))
    return asyncio.run(by_hand.once(executing, InferenceBatchSettings(), given.run, given.window, sys.stdout))
