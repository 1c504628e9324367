"""Works off a table of jobs: takes as many as it has hands, and says that it is still at them.

What a dead process left is taken like anything else, as soon as its lease has ended. What this process has in hand
it never takes a second time, even when it could not renew the lease.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, Protocol, TypeVar
from uuid import UUID

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.5


class Taken(Protocol):
    """A job in the hands of this process."""

    @property
    def id(self) -> UUID:
        """The job's."""

    @property
    def attempts(self) -> int:
        """Which holder of the job this is."""


Job = TypeVar("Job", bound=Taken)


class Table(Protocol[Job]):
    """Where jobs are kept."""

    async def take(self, most: int, *, besides: Sequence[UUID]) -> list[Job]:
        """Up to so many that wait, or whose holder is silent, and none of these."""

    async def hold(self, taken: Sequence[Job]) -> None:
        """They are still being worked on, as far as nobody else has taken them over."""


class Hands(Generic[Job]):
    """The hands of this process; `work` says by itself what became of a job."""

    def __init__(
        self, table: Table[Job], work: Callable[[Job], Awaitable[None]], *, at_once: int, lease_seconds: float
    ) -> None:
        self._table, self._work = table, work
        self._at_once, self._lease_seconds = at_once, lease_seconds
        self._working: dict[UUID, tuple[Job, asyncio.Task[None]]] = {}
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """There is something to do."""
        self._woken.set()

    async def run(self) -> None:
        """Work until cancelled."""
        try:
            while True:
                self._woken.clear()
                await self._take()
                await self._moment()
        finally:
            for _, task in self._working.values():
                task.cancel()

    async def hold(self) -> None:
        """Say that this process is still at what it has taken, until cancelled."""
        while True:
            await asyncio.sleep(self._lease_seconds / 4)
            try:
                await self._table.hold([job for job, _ in self._working.values()])
            except Exception as error:
                log.warning("leases not renewed: %r", error, extra={"action": "jobs.not_held"})

    async def _take(self) -> None:
        free = self._at_once - len(self._working)
        if free <= 0:
            return
        try:
            taken = await self._table.take(free, besides=list(self._working))
        except Exception as error:
            log.warning("no jobs taken: %r", error, extra={"action": "jobs.not_taken"})
            return
        for job in taken:
            self._working[job.id] = job, asyncio.create_task(self._one(job))

    async def _one(self, job: Job) -> None:
        try:
            await self._work(job)
        except Exception as error:  # the lease ends, and somebody takes the job up
            log.warning("job left alone: %r", error, extra={"action": "job.left", "job_id": job.id})
        finally:
            self._working.pop(job.id, None)
            self.wake()

    async def _moment(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOOK_SECONDS):  # wait_for of Python 3.11 may swallow a cancellation
                await self._woken.wait()
