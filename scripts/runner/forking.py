"""Services by fork: asks the nursery for a process, and keeps the nursery itself (docs/runner.md)."""

import asyncio
import contextlib
import ctypes
import json
import os
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Iterable, Mapping
from typing import IO

from scripts.runner import processes
from scripts.runner.journal import NAME, Journal
from scripts.runner.launch import Launch
from scripts.runner.nursery import LONGEST, MALLOC
from scripts.runner.plan import Unit
from scripts.runner.site import Site

SWITCH = "FORK_SERVICES"
PR_SET_CHILD_SUBREAPER = 36
PATIENCE = 30.0
PAUSE = 0.2
ROOM = "." * 120  # where the names of the copies are written; `ps` shows so much
READ_AT_START = (
    *("GLIBC", "LANG", "LC_", "LD_", "MALLOC_", "PYTHON"),
    *("CRYPTOGRAPHY_", "FSSPEC_", "OPENSSL_", "PROMETHEUS_DISABLE_", "PROMETHEUS_MULTIPROC_", "PSYCOPG_", "PYDANTIC_"),
)
"""Beginnings of variables that Python, the C library or a library read once, when they are loaded."""


class Forked:
    """A process that was forked for us; what `asyncio` offers of a process, as far as it is needed."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._loop = asyncio.get_running_loop()
        self._over: asyncio.Future[int] = self._loop.create_future()
        self._file = os.pidfd_open(pid)
        self._loop.add_reader(self._file, self._ended)

    def _ended(self) -> None:
        self._loop.remove_reader(self._file)
        os.close(self._file)
        _, status = os.waitpid(self.pid, 0)
        self._over.set_result(os.waitstatus_to_exitcode(status))

    async def wait(self) -> int:
        return await asyncio.shield(self._over)

    def send_signal(self, number: signal.Signals) -> None:
        if not self._over.done():
            os.kill(self.pid, number)


class Nursery:
    """The supervisor's end of the nursery."""

    def __init__(self, site: Site, environment: Mapping[str, str], journal: Journal) -> None:
        self.site, self.environment, self.journal = site, environment, journal
        self.process: Process | None = None
        self._line: socket.socket | None = None
        self._settled = asyncio.Event()  # it is ready, or there will be none
        self._turn = asyncio.Lock()

    async def keep(self) -> None:
        """Again and again: only one that never got ready is the last."""
        while await self._once():
            self.journal.say("the nursery ended; the next one is started")
            await asyncio.sleep(PAUSE)
        self.journal.say("there is no nursery: services are started as programs of their own")
        self._settled.set()

    async def _once(self) -> bool:
        """Whether it got ready."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with ours, theirs:
            ours.setblocking(False)
            self.process = await self._start(theirs)
            theirs.close()
            try:
                return await self._serve(ours, self.process)
            finally:
                with contextlib.suppress(ProcessLookupError):
                    self.process.kill()

    async def _start(self, line: socket.socket) -> Process:
        with (self.site.state / "logs" / NAME).open("ab") as log:
            return await asyncio.create_subprocess_exec(
                *(self.site.python(), "-m", "scripts.runner.nursery", str(line.fileno()), ROOM),
                env=dict(self.environment),
                cwd=self.site.root,
                stdin=DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[line.fileno()],
                start_new_session=True,
                preexec_fn=processes.die_with_parent(signal.SIGKILL),
            )

    async def _serve(self, line: socket.socket, process: Process) -> bool:
        with contextlib.suppress(OSError):
            if not await asyncio.get_running_loop().sock_recv(line, LONGEST):
                return False
        self._line = line
        self._settled.set()
        await process.wait()
        self._settled.clear()
        self._line = None
        return True

    def takes(self, launch: Launch) -> bool:
        """A module, run by our Python, without anything that has to be known before the program begins."""
        python, option, *rest = (*launch.command, "", "")
        alike = early(launch.environment) == early(self.environment)
        here = launch.folder == self.site.root and launch.owner is None
        return python == self.site.python() and option == "-m" and bool(rest[0]) and alike and here

    async def fork(self, launch: Launch, log: IO[bytes]) -> Forked | None:
        """A process, or None when there is no nursery to give one."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await self._settled.wait()
        async with self._turn:
            line, process = self._line, self.process
            if line is None or process is None:
                return None
            try:
                async with asyncio.timeout(PATIENCE):
                    return await asked(line, launch, log)
            except (OSError, ValueError, TimeoutError) as problem:
                self.journal.say(f"the nursery gave no process: {problem!r}")
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                return None


async def asked(line: socket.socket, launch: Launch, log: IO[bytes]) -> Forked:
    """The new process begins when it is known here, and never if it cannot be."""
    read, write = os.pipe()
    try:
        socket.send_fds(line, [order(launch)], [log.fileno(), read])
        forked = Forked(int(await asyncio.get_running_loop().sock_recv(line, LONGEST)))
        with contextlib.suppress(BrokenPipeError):
            os.write(write, b"!")
        return forked
    finally:
        os.close(read)
        os.close(write)


def order(launch: Launch) -> bytes:
    """What `nursery.Order` is made of."""
    _, _, module, *arguments = launch.command
    told = {
        "module": module,
        "arguments": arguments,
        "environment": dict(launch.environment),
        "folder": str(launch.folder),
        "parent": os.getpid(),
        "death_signal": int(launch.death_signal),
    }
    return json.dumps(told).encode()


def early(environment: Mapping[str, str]) -> dict[str, str]:
    """What has an effect only on a program that is started with it."""
    return {key: text for key, text in environment.items() if key.startswith(READ_AT_START) and key not in MALLOC}


def nursery(units: Iterable[Unit], site: Site, journal: Journal) -> Nursery | None:
    """None where there is nobody to fork, or it cannot be done, or is not wanted."""
    ours = [unit.environment.items() for unit in units if is_module(unit)]
    if not ours or site.environment.get(SWITCH, "").lower() in ("false", "no", "0") or not adopt():
        return None
    return Nursery(site, dict(set(ours[0]).intersection(*ours)), journal)


def is_module(unit: Unit) -> bool:
    """Whether it will be run by our Python as a module; a service is, if it says nothing else."""
    words = (unit.service.entrypoint or ("python", "-m", "services"))[:2]
    other = unit.service.local.part or unit.service.local.venv or not unit.service.ours
    return not other and words == ("python", "-m")


def adopt() -> bool:
    """Become the parent of whose parent has ended, as far as they descend from us; Linux only."""
    if sys.platform != "linux" or not hasattr(os, "pidfd_open"):
        return False
    with contextlib.suppress(OSError, AttributeError):
        os.close(os.pidfd_open(os.getpid()))
        return int(ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)) == 0
    return False
