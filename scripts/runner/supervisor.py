"""The process behind a local platform: starts every unit as soon as it may, and stops them in reverse order."""

import asyncio
import fcntl
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import IO

from scripts.runner import journal as journals
from scripts.runner import processes
from scripts.runner.board import Board, Record, State, read
from scripts.runner.forking import nursery
from scripts.runner.journal import Journal
from scripts.runner.keeper import Keeper
from scripts.runner.plan import MARK, Plan, Unit
from scripts.runner.site import Site

LONGEST_LOG = 20_000_000
TIDY_EVERY = 30.0


class AlreadyUp(Exception):
    """Another supervisor keeps this state folder."""


def lock(state: Path) -> IO[str]:
    """Held as long as the supervisor lives; the system lets it go even if the supervisor is killed."""
    file = (state / "lock").open("a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise AlreadyUp(str(state)) from None
    return file


def is_up(state: Path) -> bool:
    told = read(state)
    return told is not None and processes.is_same(told.supervisor, told.started)


class Supervisor:
    """Keeps all units of a plan."""

    def __init__(self, plan: Plan, site: Site, state: State) -> None:
        self.plan, self.site = plan, site
        state.units = [_record(unit) for unit in plan.units]
        state.supervisor, state.started = os.getpid(), processes.started(os.getpid())
        state.notes = list(plan.notes)
        self.journal = Journal(site.state / "logs")
        self.board = Board(site.state, state)
        self.nursery = nursery(plan.units, site, self.journal)
        self.keepers = {unit.name: Keeper(unit, site, self.board, self.journal, self.nursery) for unit in plan.units}
        self.stop = asyncio.Event()

    async def run(self, started: Callable[[], None] = lambda: None) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.stop.set)
        self.board.changed()
        self.journal.say(f"up: {len(self.plan.units)} processes, port {self.site.port}, {self.site.state}")
        lives = {name: asyncio.create_task(keeper.keep()) for name, keeper in self.keepers.items()}
        others = [asyncio.create_task(self._tidy())]
        if self.nursery:
            others.append(asyncio.create_task(self.nursery.keep()))
        started()
        await self.stop.wait()
        await self._stop_all(lives)
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _tidy(self) -> None:
        dead: set[tuple[int, str]] = set()
        while True:
            await asyncio.sleep(TIDY_EVERY)
            dead = await asyncio.to_thread(processes.bury, dead)
            for keeper in self.keepers.values():
                await asyncio.to_thread(journals.cut, self.site.state / "logs" / keeper.unit.log, LONGEST_LOG)

    async def _stop_all(self, lives: dict[str, asyncio.Task[None]]) -> None:
        """Who depends on something leaves before it does."""
        self.journal.say("down")
        for keeper in self.keepers.values():
            keeper.stopping.set()
        await asyncio.gather(*(self._stop_one(name, lives) for name in lives))
        self.board.state.supervisor = None
        self.board.changed()
        self.journal.say("down: all stopped")

    async def _stop_one(self, name: str, lives: dict[str, asyncio.Task[None]]) -> None:
        users = [lives[unit.name] for unit in self.plan.users(self.keepers[name].unit.service.name)]
        if users:
            await asyncio.wait(users)
        self.keepers[name].stop()
        await lives[name]


def _record(unit: Unit) -> Record:
    return Record(unit.name, unit.service.name, unit.log, dict(unit.ports), unit.service.once)


def prepare_folders(site: Site, plan: Plan) -> None:
    logs = site.state / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    for unit in plan.units:
        journals.rotate(logs / unit.log)
        for folder in unit.folders:
            folder.mkdir(parents=True, exist_ok=True)


def supervise(plan: Plan, site: Site, state: State, started: Callable[[], None] = lambda: None) -> None:
    """Run until a signal says stop."""
    site.state.mkdir(parents=True, exist_ok=True)
    with lock(site.state):
        os.environ.pop(MARK, None)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        prepare_folders(site, plan)
        asyncio.run(_run(plan, site, state, started))


async def _run(plan: Plan, site: Site, state: State, started: Callable[[], None]) -> None:
    await Supervisor(plan, site, state).run(started)
