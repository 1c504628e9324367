"""Runs one run to its end: chunk by chunk, so that memory does not grow with the rows.

A chunk's results and the key it ended with are written in one transaction: a run that is cut off
goes on behind that key, with nothing done twice and nothing left out. While one chunk is worked on,
the next is read.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from uuid import UUID, uuid4

from services.chassis.database import Database
from services.chassis.service import beside
from services.inference_batch import runs
from services.inference_batch.jobs import Job, Outcome, Row
from services.inference_batch.runs import Lost, Run

log = logging.getLogger(__name__)


class GaveUp(Exception):
    """A row failed, and the policy is to do everything again."""


class Executor:
    """Claims runs and does them; several processes may."""

    def __init__(
        self,
        database: Database,
        jobs: Mapping[str, Job],
        *,
        chunk: int = 64,
        lease: timedelta = timedelta(seconds=15),
        backoff: timedelta = timedelta(seconds=5),
    ) -> None:
        self.jobs = jobs
        self._database, self._chunk = database, chunk
        self._lease, self._backoff, self._owner = lease, backoff, uuid4()

    async def one(self, only: UUID | None = None) -> Run | None:
        """Claim a run and do it; None when there is none to do. What goes wrong is written into it, not raised."""
        run = await runs.claim(self._database, self._owner, list(self.jobs), self._lease, only)
        if run is None:
            return None
        log.info("%s", run.job, extra=_told("batch.started", run))
        async with beside(partial(self._beat, run)):
            try:
                return await self._attempted(run)
            except Lost as lost:
                log.warning("%s", lost, extra=_told("batch.lost", run))
                return run

    async def _attempted(self, run: Run) -> Run:
        try:
            before = await runs.failures(self._database, run.id)
            run = await self._again(await self._whole(run), list(before))
        except (Lost, asyncio.CancelledError):
            raise
        except Exception as error:
            log.warning("%s: %r", run.job, error, extra=_told("batch.stumbled", run))
            return await self._put_off(run, repr(error))
        if run.failed:
            return await self._put_off(run, f"{run.failed} rows failed")
        await self._say(run)
        return await self._ended(run, "done", "")

    async def _whole(self, run: Run) -> Run:
        """Every row behind where the run has got to."""
        job = self.jobs[run.job]
        run = await self._counted(run, job)
        coming = asyncio.create_task(self._rows(job, run, run.after))
        try:
            while rows := await coming:
                coming = asyncio.create_task(self._rows(job, run, rows[-1].key))
                run = await self._kept(run, job, await job.work(rows), rows[-1].key)
        finally:
            coming.cancel()
        return run

    async def _again(self, run: Run, keys: Sequence[str]) -> Run:
        """Just the rows that failed in an earlier attempt."""
        job = self.jobs[run.job]
        for at in range(0, len(keys), self._chunk):
            wanted = keys[at : at + self._chunk]
            async with self._database.connection() as connection:
                rows = await job.some(connection, run.window_end, wanted)
            run = await self._kept(run, job, await job.work(rows), run.after, wanted)
        return run

    async def _counted(self, run: Run, job: Job) -> Run:
        if run.total is not None:
            return run
        async with self._database.connection() as connection:
            return await runs.move(connection, run, self._owner, total=await job.count(connection, run.window_end))

    async def _rows(self, job: Job, run: Run, after: str) -> Sequence[Row]:
        async with self._database.connection() as connection:
            return await job.rows(connection, run.window_end, after, self._chunk)

    async def _kept(
        self, run: Run, job: Job, outcomes: Sequence[Outcome], after: str, again: Sequence[str] | None = None
    ) -> Run:
        """The chunk's results, failures and the way to go on, all or nothing."""
        errors = {outcome.row.key: outcome.error for outcome in outcomes if outcome.error}
        if errors and run.retry == "all":
            raise GaveUp(f"{len(errors)} rows failed, the first: {next(iter(errors.values()))}")
        well = [outcome for outcome in outcomes if not outcome.error]
        async with self._database.connection() as connection, connection.transaction():
            await job.keep(connection, run.id, well)
            if again is not None:
                await runs.clear_failures(connection, run, [key for key in again if key not in errors])
            await runs.note_failures(connection, run, errors)
            failed = len(errors) if again is None else len(errors) - len(again)
            return await runs.move(
                connection, run, self._owner, after=after, done=run.done + len(well), failed=run.failed + failed
            )

    async def _say(self, run: Run) -> None:
        """What follows from the results is said when there is nothing left that could take them back."""
        job = self.jobs[run.job]
        while True:
            async with self._database.connection() as connection, connection.transaction():
                await runs.move(connection, run, self._owner)
                if not await job.tell(connection, run.id, self._chunk):
                    return

    async def _put_off(self, run: Run, error: str) -> Run:
        """Another attempt later, as the policy says, or the end."""
        if run.retry == "none" or run.attempts_left <= 0:
            await self._say_what_is_there(run)
            return await self._ended(run, "failed", error)
        async with self._database.connection() as connection, connection.transaction():
            start_over = run.retry == "all"
            if start_over:
                await self.jobs[run.job].forget(connection, run.id)
                await runs.clear_failures(connection, run)
            changes = {"after": "", "done": 0, "failed": 0, "total": None} if start_over else {}
            moved = await runs.move(
                connection,
                run,
                self._owner,
                **changes,
                error=error[:500],
                attempts_left=run.attempts_left - 1,
                attempt=run.attempt + 1,
            )
            await connection.execute(
                "UPDATE runs SET state = 'waiting', owner = NULL, due_at = now() + %s WHERE id = %s",
                (self._backoff * run.attempt, run.id),
            )
        return moved.model_copy(update={"state": "waiting"})

    async def _say_what_is_there(self, run: Run) -> None:
        """With the policies that keep the rows that are done, they count."""
        if run.retry != "all":
            await self._say(run)

    async def _ended(self, run: Run, state: runs.State, error: str) -> Run:
        async with self._database.connection() as connection, connection.transaction():
            await runs.move(connection, run, self._owner, error=error[:500], total=run.done + run.failed)
            await connection.execute(
                "UPDATE runs SET state = %s, owner = NULL, finished_at = now() WHERE id = %s", (state, run.id)
            )
        ended = await runs.find(self._database, run.id)
        assert ended
        log.info("%s", run.job, extra=_told(f"batch.{state}", ended))
        return ended

    async def _beat(self, run: Run) -> None:
        """Tell the others that the run has an owner, also while a chunk takes long."""
        while True:
            await asyncio.sleep(self._lease.total_seconds() / 3)
            try:
                async with self._database.connection() as connection:
                    await runs.move(connection, run, self._owner)
            except Exception as error:
                log.warning("no sign of life: %r", error, extra=_told("batch.silent", run))


def _told(action: str, run: Run) -> dict[str, object]:
    return {"action": action, "run_id": run.id, "job": run.job, "done": run.done, "failed": run.failed}
