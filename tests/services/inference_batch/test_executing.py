"""Runs: every row exactly once, also when a process dies in the middle; three ways to try again."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from prometheus_client import CollectorRegistry

from services.chassis.database import Connection, Database
from services.inference_batch import runs
from services.inference_batch.batch_metrics import BatchMetrics
from services.inference_batch.executing import Executor
from services.inference_batch.jobs import Outcome, Row
from services.inference_batch.runs import Run
from services.inference_batch.scheduling import queue_due
from services.inference_batch.windows import Retry, Schedule, Window

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
WINDOW = Window(NOW - timedelta(hours=1), NOW)
KEYS = [f"{number:03}" for number in range(25)]


class Doubling:
    """A toy job whose results are rows of a table."""

    name = "toy"

    def __init__(self) -> None:
        self.bad: dict[str, int] = {}
        """Rows that fail, and how often."""
        self.down = 0
        """How many chunks the whole job is in trouble for."""
        self.dies_before: str | None = None
        self.worked: list[str] = []
        self.told = 0

    async def count(self, connection: Connection, moment: datetime) -> int:
        return len(KEYS)

    async def rows(self, connection: Connection, moment: datetime, after: str, limit: int) -> Sequence[Row]:
        return [Row(key, int(key)) for key in KEYS if key > after][:limit]

    async def some(self, connection: Connection, moment: datetime, keys: Sequence[str]) -> Sequence[Row]:
        return [Row(key, int(key)) for key in keys]

    async def work(self, rows: Sequence[Row]) -> list[Outcome]:
        if self.dies_before in [row.key for row in rows]:
            raise asyncio.CancelledError
        if self.down:
            self.down -= 1
            raise ConnectionError("the store is away")
        self.worked += [row.key for row in rows]
        return [self._outcome(row) for row in rows]

    def _outcome(self, row: Row) -> Outcome:
        if self.bad.get(row.key, 0):
            self.bad[row.key] -= 1
            return Outcome(row, error="unreadable")
        return Outcome(row, row.content * 2)

    async def keep(self, connection: Connection, run_id: UUID, outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            await connection.execute(
                "INSERT INTO results (run_id, key, result) VALUES (%s, %s, %s)",
                (run_id, outcome.row.key, outcome.result),
            )

    async def forget(self, connection: Connection, run_id: UUID) -> None:
        await connection.execute("DELETE FROM results WHERE run_id = %s", (run_id,))

    async def tell(self, connection: Connection, run_id: UUID, limit: int) -> int:
        self.told += 1
        return 0


@pytest.fixture
async def batch(database: Callable[[str], Awaitable[Database]]) -> Database:
    """With a table whose key makes a row that is done twice an error."""
    opened = await database("inference_batch")
    async with opened.connection() as connection:
        await connection.execute("CREATE TABLE results (run_id uuid, key text, result int, PRIMARY KEY (run_id, key))")
    return opened


def executor(batch: Database, job: Doubling, lease: float = 60) -> Executor:
    lasting = timedelta(seconds=lease)
    return Executor(batch, {job.name: job}, chunk=4, lease=lasting, backoff=timedelta(0))


async def queued(batch: Database, retry: Retry = "partial", attempts: int = 3) -> Run:
    hour = timedelta(hours=1)
    schedule = Schedule("toy", hour, timedelta(0), hour, retry, attempts, 1, True)
    return await runs.queue(batch, schedule, WINDOW, "hand")


async def results(batch: Database) -> dict[str, int]:
    async with batch.connection() as connection:
        rows = await (await connection.execute("SELECT key, result FROM results")).fetchall()
    return {row["key"]: row["result"] for row in rows}


ALL = {key: int(key) * 2 for key in KEYS}


async def test_every_row_is_done_once(batch: Database) -> None:
    job = Doubling()
    await queued(batch)
    run = await executor(batch, job).one()
    assert run is not None
    assert (run.state, run.done, run.failed, run.total) == ("done", 25, 0, 25)
    assert await results(batch) == ALL
    assert job.worked == KEYS
    assert await executor(batch, job).one() is None, "a run that is done is not done again"


async def test_a_window_is_run_once_however_often_it_is_asked_for(batch: Database) -> None:
    first, second = await queued(batch), await queued(batch)
    assert first.id == second.id


async def test_a_run_that_was_cut_off_goes_on_where_it_was(batch: Database) -> None:
    """The process dies in the third chunk; another one takes the run over when its lease is up."""
    job = Doubling()
    await queued(batch)
    job.dies_before = "009"
    with pytest.raises(asyncio.CancelledError):
        await executor(batch, job).one()
    assert sorted(await results(batch)) == KEYS[:8]
    assert await executor(batch, Doubling(), lease=60).one() is None, "its owner may still be alive"
    heir = Doubling()
    run = await executor(batch, heir, lease=0).one()
    assert run is not None
    assert (run.state, run.done) == ("done", 25)
    assert heir.worked == KEYS[8:], "nothing twice, nothing left out"
    assert await results(batch) == ALL


async def test_an_owner_that_was_taken_for_dead_writes_nothing_more(batch: Database) -> None:
    await queued(batch)
    slow, heir = Doubling(), Doubling()
    waits = asyncio.Event()
    work = slow.work

    async def waiting(rows: Sequence[Row]) -> list[Outcome]:
        await waits.wait()
        return await work(rows)

    slow.work = waiting  # type: ignore[method-assign]
    first = asyncio.create_task(executor(batch, slow).one())
    while not (await runs.newest(batch, 1))[0].total:
        await asyncio.sleep(0)
    run = await executor(batch, heir, lease=0).one()
    waits.set()
    await first
    assert run is not None
    assert run.state == "done"
    assert await results(batch) == ALL


async def test_partial_tries_only_the_failed_rows_again(batch: Database) -> None:
    job = Doubling()
    job.bad = {"003": 1, "011": 2}
    await queued(batch, "partial")
    states = [run.state for _ in range(3) if (run := await executor(batch, job).one())]
    assert states == ["waiting", "waiting", "done"]
    assert job.worked == [*KEYS, "003", "011", "011"]
    assert await results(batch) == ALL


async def test_all_takes_everything_back_and_starts_over(batch: Database) -> None:
    job = Doubling()
    job.bad = {"013": 1}
    await queued(batch, "all")
    first = await executor(batch, job).one()
    assert first is not None
    assert first.state == "waiting"
    assert await results(batch) == {}, "half a result is none"
    last = await executor(batch, job).one()
    assert last is not None
    assert (last.state, last.done) == ("done", 25)
    assert await results(batch) == ALL


async def test_none_keeps_what_is_done_and_says_what_failed(batch: Database) -> None:
    job = Doubling()
    job.bad = {"020": 1}
    await queued(batch, "none")
    run = await executor(batch, job).one()
    assert run is not None
    assert (run.state, run.done, run.failed) == ("failed", 24, 1)
    assert await runs.failures(batch, run.id) == {"020": "unreadable"}
    assert len(await results(batch)) == 24


async def test_attempts_come_to_an_end(batch: Database) -> None:
    job = Doubling()
    job.bad = {"001": 99}
    await queued(batch, "partial", attempts=3)
    states = [run.state for _ in range(4) if (run := await executor(batch, job).one())]
    assert states == ["waiting", "waiting", "failed"]
    assert job.worked.count("001") == 3


async def test_trouble_with_everything_is_an_attempt_and_loses_nothing(batch: Database) -> None:
    job = Doubling()
    job.down = 1
    await queued(batch, "partial")
    first = await executor(batch, job).one()
    assert first is not None
    assert first.state == "waiting"
    assert "the store is away" in first.error
    last = await executor(batch, job).one()
    assert last is not None
    assert last.state == "done"
    assert await results(batch) == ALL


async def test_what_follows_is_said_only_when_all_is_done(batch: Database) -> None:
    job = Doubling()
    job.bad = {"005": 1}
    await queued(batch, "partial")
    await executor(batch, job).one()
    assert job.told == 0
    await executor(batch, job).one()
    assert job.told == 1


async def test_a_schedule_is_a_row(batch: Database) -> None:
    async with batch.connection() as connection:
        await connection.execute(
            "INSERT INTO schedules (job, every, deadline, retry) VALUES ('toy', '1 day', '1 hour', 'all'), "
            "('nobody', '1 day', '1 hour', 'all')"
        )
    assert await queue_due(batch, {"toy"}, lambda: NOW) == ["nobody", "rescore", "weekly_demand"]
    (run,) = await runs.newest(batch, 10)
    assert (run.job, run.window_end, run.retry) == ("toy", NOW.replace(hour=0), "all")
    await queue_due(batch, {"toy"}, lambda: NOW)
    assert len(await runs.newest(batch, 10)) == 1


async def test_a_job_that_waits_is_made_up_for_later(batch: Database) -> None:
    async with batch.connection() as connection:
        await connection.execute(
            "INSERT INTO schedules (job, every, deadline, retry, catch_up) VALUES ('toy', '1 day', '1 hour', 'all', 3)"
        )
    await queue_due(batch, {"toy"}, lambda: NOW, waiting={"toy"})
    assert await runs.newest(batch, 10) == []
    await queue_due(batch, {"toy"}, lambda: NOW)
    assert len(await runs.newest(batch, 10)) == 3


async def test_a_missed_deadline_shows(batch: Database) -> None:
    registry, metrics = CollectorRegistry(), BatchMetrics()
    registry.register(metrics)
    run = await queued(batch)
    async with batch.connection() as connection:
        await connection.execute("UPDATE runs SET deadline_at = now() - interval '1 s' WHERE id = %s", (run.id,))
    metrics.look(await runs.overview(batch))
    assert registry.get_sample_value("batch_runs_overdue", {"job": "toy"}) == 1
    await executor(batch, Doubling()).one()
    metrics.look(await runs.overview(batch))
    assert registry.get_sample_value("batch_runs_overdue", {"job": "toy"}) == 0
    assert registry.get_sample_value("batch_rows_total", {"job": "toy", "outcome": "done"}) == 25
    assert (registry.get_sample_value("batch_last_success_timestamp_seconds", {"job": "toy"}) or 0) > 0


async def test_what_waits_for_its_next_attempt_is_not_due_yet(batch: Database) -> None:
    hour = timedelta(hours=1)
    run = await queued(batch)
    assert (due := await runs.next_open(batch, ["toy"], hour)) is not None
    assert due.id == run.id
    async with batch.connection() as connection:
        await connection.execute("UPDATE runs SET due_at = now() + interval '1 hour'")
    assert await runs.next_open(batch, ["toy"], hour) is None
