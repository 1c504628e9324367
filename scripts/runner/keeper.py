"""Keep one process: wait for what it needs, start it, watch its health, start it again, stop it."""

import asyncio
import contextlib
import time
from asyncio.subprocess import DEVNULL, STDOUT, Process
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from scripts.runner import checks, processes
from scripts.runner.board import RUNNING, UP, Board, Record
from scripts.runner.forking import Forked, Nursery
from scripts.runner.journal import Journal
from scripts.runner.launch import Launch
from scripts.runner.parts import prepare
from scripts.runner.plan import Unit
from scripts.runner.site import Site
from scripts.runner.topology import Dependency, Health

FIRST_PAUSE, LONGEST_PAUSE, CALM = 0.2, 15.0, 10.0
LOOK = 0.05
BREATH = 0.5  # what has no health check is taken for healthy when it has lived so long
WITHOUT_CHECK = Health(("NONE",))
MET = {
    "service_started": (*RUNNING, *UP),
    "service_healthy": UP,
    "service_completed_successfully": ("done",),
}


class Keeper:
    """One unit's life."""

    def __init__(self, unit: Unit, site: Site, board: Board, journal: Journal, nursery: Nursery | None = None) -> None:
        self.unit, self.site, self.board, self.journal, self.nursery = unit, site, board, journal, nursery
        self.record: Record = board.records[unit.name]
        self.stopping = asyncio.Event()  # the platform is: nothing is started any more
        self.leaving = asyncio.Event()  # this process has to
        self.pause = FIRST_PAUSE

    async def keep(self) -> None:
        await self._unless_stopping(self.board.until(self._may_start))
        while not self.stopping.is_set():
            began = time.monotonic()
            code = await self._run()
            if self.stopping.is_set():
                break
            if not self._again(code):
                self.board.set(self.record, "failed" if code else "done", exit_code=code, pid=None)
                return
            await self._rest(code, time.monotonic() - began)
        self.board.set(self.record, "stopped", pid=None)

    def _may_start(self) -> bool:
        waiting = [need.service for need in self.unit.service.depends_on if not self._met(need)]
        if waiting != self.record.waiting_for:
            self.record.waiting_for = waiting
        return not waiting

    def _met(self, need: Dependency) -> bool:
        return all(record.state in MET[need.condition] for record in self.board.of(need.service))

    async def _unless_stopping(self, wish: Coroutine[Any, Any, None]) -> None:
        tasks: list[asyncio.Task[Any]] = [asyncio.create_task(wish), asyncio.create_task(self.stopping.wait())]
        _, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()

    def _again(self, code: int) -> bool:
        policy, _, limit = self.unit.service.restart.partition(":")
        if policy == "on-failure":
            return code != 0 and (not limit or self.record.restarts < int(limit))
        return policy in ("always", "unless-stopped")

    async def _rest(self, code: int, lived: float) -> None:
        """Exponential pause; a process that has lived for a while starts again at once."""
        self.pause = FIRST_PAUSE if lived > CALM else self.pause
        self.journal.say(f"{self.unit.name} ended with {code}; again in {self.pause:.1f} s")
        self.record.restarts += 1
        self.board.set(self.record, "restarting", exit_code=code, pid=None)
        await self._unless_stopping(asyncio.sleep(self.pause))
        self.pause = min(self.pause * 2, LONGEST_PAUSE)

    async def _run(self) -> int:
        try:
            launch = await asyncio.to_thread(prepare, self.unit, self.site)
            process = await self._start(launch)
        except Exception as error:  # whatever a part cannot do is the unit's failure, not the supervisor's
            self.journal.say(f"{self.unit.name} could not be started: {error}")
            self._append(f"could not be started: {error}\n")
            return 127
        watch = asyncio.create_task(self._watch(launch))
        leave = asyncio.create_task(self._leave(process, launch, watch))
        code = await process.wait()
        watch.cancel()
        leave.cancel()
        await asyncio.gather(watch, leave, return_exceptions=True)
        processes.kill(processes.group(process.pid))  # what it left behind
        return code

    async def _start(self, launch: Launch) -> Process | Forked:
        process = await self._forked(launch) or await self._executed(launch)
        when = processes.started(process.pid)
        state = "running" if self.unit.service.once else "starting"
        self.board.set(self.record, state, pid=process.pid, started=when, exit_code=None, problem=None)
        return process

    async def _forked(self, launch: Launch) -> Forked | None:
        if self.nursery is None or not self.nursery.takes(launch):
            return None
        with self._log_path().open("ab") as log:
            return await self.nursery.fork(launch, log)

    async def _executed(self, launch: Launch) -> Process:
        user, group = launch.owner or (None, None)
        with self._log_path().open("ab") as log:
            return await asyncio.create_subprocess_exec(
                *launch.command,
                env=dict(launch.environment),
                cwd=launch.folder,
                stdin=DEVNULL,
                stdout=log,
                stderr=STDOUT,
                start_new_session=True,
                user=user,
                group=group,
                extra_groups=None if launch.owner is None else [],
                preexec_fn=processes.die_with_parent(launch.death_signal),
            )

    def _log_path(self) -> Path:
        return self.site.state / "logs" / self.unit.log

    def _append(self, text: str) -> None:
        with self._log_path().open("a") as log:
            log.write(text)

    async def _watch(self, launch: Launch) -> None:
        health = self.unit.service.health or WITHOUT_CHECK
        if launch.check is None:
            if not self.unit.service.once:
                await asyncio.sleep(BREATH)
                self._healthy()
            return
        began, failures = time.monotonic(), 0
        await self._port_open(health.start_interval)
        while True:
            problem = await checks.checked(launch.check, health.timeout)
            starting = not self.record.state.endswith("healthy")
            if problem is None:
                failures = 0
                self._healthy()
            elif not (starting and time.monotonic() - began < health.start_period):
                failures += 1
                self._unwell(problem, failures >= health.retries)
            await asyncio.sleep(health.interval if self.record.state.endswith("healthy") else health.start_interval)

    async def _port_open(self, at_most: float) -> None:
        """A check costs a process; looking whether the port is open costs nothing, and tells when to begin."""
        port = min(self.unit.ports.values(), default=None)
        for _ in range(int(at_most / LOOK) if port else 0):
            if port and checks.is_open(port):
                return
            await asyncio.sleep(LOOK)

    def _healthy(self) -> None:
        if self.record.state != "healthy":
            self.board.set(self.record, "healthy", been_healthy=True, problem=None)

    def _unwell(self, problem: str, certain: bool) -> None:
        self.record.problem = problem
        if certain and self.record.state != "unhealthy":
            self.journal.say(f"{self.unit.name} is unhealthy: {problem}")
            self.board.set(self.record, "unhealthy")

    def stop(self) -> None:
        """Ask it to leave; `keep` ends when it has."""
        self.stopping.set()
        self.leaving.set()

    async def _leave(self, process: Process | Forked, launch: Launch, watch: asyncio.Task[None]) -> None:
        """When told to, ask the process, wait as long as compose.yaml allows, then insist."""
        await self.leaving.wait()
        watch.cancel()
        self.board.set(self.record, "stopping")
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(launch.stop_signal)
        await asyncio.sleep(self.unit.service.stop_grace)
        self.journal.say(f"{self.unit.name} did not stop in {self.unit.service.stop_grace:.0f} s and was killed")
        processes.kill(processes.family(process.pid, self.record.started))
