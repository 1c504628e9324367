"""Queues a run for every window that a schedule says is over; a run that is there already stays as it is."""

from collections.abc import Callable, Collection
from datetime import UTC, datetime

from services.chassis.database import Database
from services.inference_batch import runs
from services.inference_batch.windows import due


async def queue_due(
    database: Database,
    known: Collection[str],
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    waiting: Collection[str] = (),
) -> list[str]:
    """Queue what is due but for what has to wait; returns the schedules that name a job nobody here knows."""
    unknown = []
    for schedule in await runs.schedules(database):
        if schedule.job not in known:
            unknown.append(schedule.job)
            continue
        if schedule.job in waiting:
            continue
        for window in due(schedule, await runs.ends(database, schedule.job), clock()):
            await runs.queue(database, schedule, window, "schedule")
    return unknown
