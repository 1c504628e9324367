"""Scheduled jobs over tables: collect, then work on it at a set time, by a deadline, every row exactly once."""

import argparse
import asyncio
import logging
import sys
from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from pydantic import Field

from services.champions import Champions
from services.chassis import outbox
from services.chassis.backends import Backends
from services.chassis.gathering import Gathered
from services.chassis.service import Service
from services.chassis.settings import Settings
from services.contracts import (
    CloudEvent,
    ItemEvent,
    ItemLiked,
    ItemPublished,
    ItemRemoved,
    ItemScreened,
    RescoringApplied,
)
from services.inference_batch import demand_routes, facts, runs
from services.inference_batch.batch_metrics import BatchMetrics
from services.inference_batch.children import done_by_a_child
from services.inference_batch.happened import from_warehouse
from services.inference_batch.routes import routes
from services.inference_batch.scheduling import queue_due
from services.inference_batch.waiting import Waiting
from services.spool.spooling import spooling

log = logging.getLogger(__name__)
FACTS: tuple[type[ItemEvent], ...] = (ItemScreened, ItemPublished, ItemRemoved, ItemLiked)
FACTS_AT_ONCE = 200
JOBS = ("rescore", "weekly_demand")


class InferenceBatchSettings(Settings):
    """Settings of the process that schedules."""

    batch_poll_seconds: float = Field(5.0, gt=0, description="How often to look for what is due.")
    batch_lease_seconds: float = Field(15.0, gt=0, description="A run whose process is silent so long is taken over.")
    mlflow_tracking_uri: str | None = Field(None, description="The registry; without it, what is on disk serves.")
    warehouse_url: str | None = Field(None, description="Where it is known what happened; unset: nothing did.")
    activate_weekly_demand: bool = Field(True, description="False: the baseline is the forecast.")


def build(backends: Backends) -> Service:
    """Facts in, runs out; each run in a process of its own (hosting.py)."""
    settings = InferenceBatchSettings()
    database = backends.database
    service = Service("inference-batch", backends, summary="Scheduled jobs over tables.")
    metrics, relay = BatchMetrics(), service.relay()
    service.metrics.registry.register(metrics)
    champions = Champions(backends.http, settings.mlflow_tracking_uri) if settings.mlflow_tracking_uri else None
    waiting = Waiting(champions, ["weekly_demand"] if settings.activate_weekly_demand else [])
    service.app.include_router(routes(database, waiting))
    happened = from_warehouse(backends.http, settings.warehouse_url)
    service.app.include_router(demand_routes.routes(database, happened))
    spooling(service)

    remembered = Gathered(partial(facts.remember, database), most=FACTS_AT_ONCE)

    async def _remember(data: ItemEvent, event: CloudEvent) -> None:
        await remembered.ask((data, event))

    for kind in FACTS:
        service.consumes(kind)(_remember)

    @service.consumes(RescoringApplied)
    async def _applied(data: RescoringApplied, event: CloudEvent) -> None:
        async with database.connection() as connection:
            await outbox.settle(connection, event)

    @service.every(settings.batch_poll_seconds)
    async def _queue() -> None:
        for job in await queue_due(database, JOBS, waiting=await waiting.now()):
            log.warning("a schedule names an unknown job: %s", job, extra={"action": "batch.unknown_job"})
        metrics.look(await runs.overview(database))

    # Apart from the above: a run that takes too long must be seen while it does.
    @service.every(settings.batch_poll_seconds)
    async def _work() -> None:
        lease = timedelta(seconds=settings.batch_lease_seconds)
        while (run := await runs.next_open(database, JOBS, lease)) and await done_by_a_child(run):
            relay.wake()

    return service


def run(arguments: Sequence[str]) -> int:
    """One run in this process, then the end: what a CronJob calls. `--run JOB [--window START/END]`."""
    from services.inference_batch.hosting import once  # with it come the models

    parser = argparse.ArgumentParser(prog="inference-batch")
    parser.add_argument("--run", required=True, metavar="JOB")
    parser.add_argument("--window", metavar="START/END", help="the last one that is over, if none is given")
    parser.add_argument("--quiet", action="store_true", help="log lines instead of progress")
    given = parser.parse_args(list(arguments))
    return asyncio.run(once(given.run, given.window, None if given.quiet else sys.stdout))
