"""The trainer's work: one run at a time, its pipelines side by side where they share no stage."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

import httpx
import psycopg
import psycopg_pool
from prometheus_client import Counter

from services.champions import Champions
from services.chassis.database import Database
from services.chassis.service import beside
from services.trainer import runs
from services.trainer.catalogue import Pipeline, needed, pipelines, strands
from services.trainer.progress import Progress
from services.trainer.repro import MOST_POLITE, POLITE, Places, StageFailed, repro
from services.trainer.runs import Run
from services.trainer.workspace import synchronise

log = logging.getLogger(__name__)

TELL_SECONDS = 2.0
LOOK_SECONDS = 5.0
TRIES = 2
"""A stage that failed is tried once more; DVC skips what is done."""

T = TypeVar("T")

RESTING = (psycopg.OperationalError, psycopg_pool.PoolTimeout)
"""The database is away: it comes back."""


class NoPipeline(Exception):
    """The sources do not say how this is made."""

    def __init__(self, *names: str) -> None:
        super().__init__("there is no " + ", ".join(f"pipelines/{name}/dvc.yaml" for name in names))


@dataclass
class Trainer:
    """What the service is made of."""

    database: Database
    champions: Champions
    places: Places
    cache: Path
    required: Sequence[str]
    also: Sequence[str]
    the_rest: bool
    processes: int
    ended: Counter
    tried: set[str] = field(default_factory=set)
    """Of the rest: what is not tried again by itself before the trainer starts anew."""
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    # What is missing

    async def missing(self) -> list[str]:
        """The required models that have no champion; raises httpx.HTTPError when MLflow does not answer."""
        return [name for name in self.required if not await self.champions.has(name)]

    async def unmade(self) -> list[str]:
        """Pipelines without a model whose results are not there yet, or only in part: a run is at it."""
        known = self.known()
        wanted = [known[name] for name in self.also if name in known]
        at_work = {name for run in await runs.unfinished(self.database) for name in run.models}
        return [one.name for one in wanted if one.name in at_work or not self.written(one)]

    def written(self, pipeline: Pipeline) -> bool:
        """Whether everything the pipeline writes exists."""
        return all((self.places.workspace / path).exists() for path in pipeline.writes)

    def known(self) -> dict[str, Pipeline]:
        """The pipelines that the sources have now."""
        return pipelines(self.places.source)

    def models(self) -> list[str]:
        """The pipelines that make a model, the required ones first."""
        made = [name for name in self.known() if (self.places.source / "models" / name / "contract.py").is_file()]
        return [*self.required, *(name for name in made if name not in self.required)]

    async def next_of_the_rest(self) -> str | None:
        """A model that nobody waits for and that has no champion: the next to be tried, once everything else is."""
        if not self.the_rest or await self.missing():
            return None
        left = (name for name in self.models() if name not in self.required and name not in self.tried)
        for name in left:
            self.tried.add(name)
            if not await self.champions.has(name):
                return name
        return None

    # The loop

    async def run(self) -> None:
        """Resume what was interrupted, train what has no champion, then serve the queue."""
        await patiently(lambda: runs.interrupted(self.database))
        await self.mlflow_answers()
        await patiently(self.queue_what_is_missing)
        while True:
            for run in await patiently(lambda: runs.waiting(self.database)):
                await self.work_on(run)
            if not await patiently(self.queue_of_the_rest):
                await self.next_request()

    async def next_request(self) -> None:
        """Until somebody asks here, or it is time to look at the queue."""
        try:
            async with asyncio.timeout(LOOK_SECONDS):  # wait_for of Python 3.11 may swallow a cancellation
                await self.asked.wait()
        except TimeoutError:
            return
        self.asked.clear()

    async def mlflow_answers(self) -> None:
        """MLflow may start later than we do, or be away for a while."""
        said = False
        while True:
            try:
                await self.champions.has("nobody")
                return
            except httpx.HTTPError as error:
                if not said:
                    log.info("waiting for MLflow: %r", error, extra={"action": "trainer.waiting"})
                said = True
            await asyncio.sleep(1)

    async def queue_what_is_missing(self) -> None:
        """A run for what has no champion and is not in the queue already."""
        queued = {name for run in await runs.waiting(self.database) for name in run.models}
        names = [name for name in (*await self.missing(), *await self.unmade()) if name not in queued]
        if names:
            await runs.queue(self.database, names, "start", f"not there yet: {', '.join(names)}")

    async def queue_of_the_rest(self) -> bool:
        """One run at a time, behind whatever people have asked for; whether there is one now."""
        if await runs.waiting(self.database):
            return True
        name = await self.next_of_the_rest()
        if name:
            await runs.queue(self.database, [name], "rest", "when nothing else is to be trained")
        return name is not None

    # One run

    async def work_on(self, run: Run) -> None:
        """Make everything the run names, and record how that went."""
        await patiently(lambda: runs.started(self.database, run))
        log.info("training %s: %s", ", ".join(run.models), run.why, extra={"action": "run.started", "run": run.id})
        try:
            progress = await self.make(run)
        except (StageFailed, NoPipeline, OSError) as error:
            reason = str(error)
            log.error("training failed: %s", reason, extra={"action": "run.failed", "run": run.id})
            await patiently(lambda: runs.failed(self.database, run, reason))
            self.ended.labels("failed").inc()
            return
        await patiently(lambda: runs.succeeded(self.database, run, progress.versions, progress.waiting))
        self.ended.labels("succeeded").inc()
        said = {"action": "run.succeeded", "run": run.id, **progress.versions}
        log.info("trained %s", ", ".join(run.models), extra=said)

    async def make(self, run: Run) -> Progress:
        """All pipelines of the run; raises StageFailed when one failed twice, after the others."""
        await asyncio.to_thread(synchronise, self.places.source, self.places.workspace, self.cache)
        known = self.known()
        wanted = [name for name in run.models if name in known]
        involved = {name: known[name] for model in wanted for name in needed(model, known)}
        progress = Progress.of(involved)
        turns = asyncio.Semaphore(self.processes)
        async with beside(partial(self.tell, run, progress)):
            politeness = MOST_POLITE if run.trigger == "rest" else POLITE
            work = [self.strand(names, progress, turns, politeness) for names in strands(wanted, known)]
            results = await asyncio.gather(*work, return_exceptions=True)
        for failure in (result for result in results if result is not None):
            raise failure
        if unknown := set(run.models) - known.keys():
            raise NoPipeline(*sorted(unknown))
        return progress

    async def strand(self, names: Sequence[str], progress: Progress, turns: asyncio.Semaphore, politeness: int) -> None:
        """Pipelines that share stages, one after the other."""
        async with turns:
            for name in names:
                await self.pipeline(name, progress, politeness)

    async def pipeline(self, name: str, progress: Progress, politeness: int) -> None:
        """One pipeline, tried again once. Waiting for another process's lock is not a failure."""
        tries = TRIES
        while tries:
            await self.mlflow_answers()
            try:
                await repro(self.places, name, progress.hear, politeness)
                progress.ended(name)
                return
            except StageFailed as failure:
                tries -= not failure.busy
                if not tries:
                    raise
                log.warning("%s", failure, extra={"action": "run.retried", "pipeline": name})

    async def tell(self, run: Run, progress: Progress) -> None:
        """Say in the log and in the table how far the run is, when that has changed."""
        before = ""
        while True:
            if (now := str(progress)) != before:
                before = now
                log.info(now, extra={"action": "run.progress"})
                try:
                    await runs.told(self.database, run, progress.stage, progress.part)
                except RESTING as error:
                    log.warning("progress not kept: %s", error, extra={"action": "trainer.database_away"})
            await asyncio.sleep(TELL_SECONDS)


async def patiently(do: Callable[[], Awaitable[T]]) -> T:
    """Do it as soon as the database and MLflow are there."""
    while True:
        try:
            return await do()
        except (*RESTING, httpx.HTTPError) as error:
            log.warning("trying again: %s", error, extra={"action": "trainer.waiting"})
        await asyncio.sleep(1)
