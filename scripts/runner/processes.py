"""Processes of this machine: who is who (a pid alone says little, it is used again), and what they cost."""

import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path

import psutil

from scripts.runner.plan import MARK

PR_SET_PDEATHSIG = 1


def started(pid: int) -> str | None:
    """When a process was started, exactly, as this system counts; None if there is none, or a dead one."""
    try:
        if sys.platform == "linux":
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            return None if fields[0] in "ZX" else fields[19]
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else f"{process.create_time():.2f}"
    except (OSError, psutil.Error):
        return None


def is_same(pid: int | None, when: str | None) -> bool:
    return pid is not None and when is not None and started(pid) == when


def die_with_parent(number: signal.Signals) -> Callable[[], None] | None:
    """To be called in the child before it becomes the program: then it does not outlive a killed runner."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl
    parent = os.getpid()

    def call() -> None:
        prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0)
        if os.getppid() != parent:  # it was killed in between
            os._exit(1)

    return call


def family(pid: int, when: str | None) -> list[psutil.Process]:
    """A process, its descendants, and who else is in its group."""
    found = {member.pid: member for member in group(pid)}
    if is_same(pid, when):
        with contextlib.suppress(psutil.Error):
            leader = psutil.Process(pid)
            found.update({member.pid: member for member in (leader, *leader.children(recursive=True))})
    return list(found.values())


def own(pid: int | None) -> list[psutil.Process]:
    """A process and its children."""
    with contextlib.suppress(psutil.Error):
        if pid is not None:
            leader = psutil.Process(pid)
            return [leader, *leader.children()]
    return []


def group(pgid: int) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        with contextlib.suppress(OSError, psutil.Error):
            if os.getpgid(process.pid) == pgid and process.pid != os.getpid():
                yield process


def marked(state: Path) -> Iterator[psutil.Process]:
    """Every process that was started for this state folder, whoever its parent is now."""
    for process in psutil.process_iter():
        with contextlib.suppress(OSError, psutil.Error):
            if process.pid != os.getpid() and process.environ().get(MARK) == str(state):
                yield process


def is_marked(process: psutil.Process, state: Path) -> bool:
    with contextlib.suppress(OSError, psutil.Error):
        return process.environ().get(MARK) == str(state)
    return False


def kill(victims: Iterable[psutil.Process]) -> int:
    """SIGKILL; psutil compares the start time first."""
    count = 0
    for process in victims:
        with contextlib.suppress(psutil.Error):
            process.kill()
            count += 1
    return count


def bury(before: Collection[tuple[int, str]]) -> set[tuple[int, str]]:
    """Fetch the exit status of the adopted dead: those who were dead the last time already. Whoever is waited for is
    fetched at once. Answers those who are dead now."""
    dead = {(child.pid, f"{child.create_time():.2f}") for child in psutil.Process().children() if is_dead(child)}
    for pid, _ in dead.intersection(before):
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
    return dead.difference(before)


def is_dead(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    return False


def memory(process: psutil.Process) -> float:
    """Proportional set size in MB: shared pages are divided among those who share them."""
    try:
        if sys.platform == "linux":
            for line in Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    return int(line.split()[1]) / 1024
        return float(process.memory_info().rss) / 1e6
    except (OSError, psutil.Error):
        return 0.0


def cpu_seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
        return float(times.user + times.system)
    except psutil.Error:
        return 0.0


def owner_of_port(port: int) -> str:
    """Who has taken a port, in words."""
    with contextlib.suppress(psutil.Error, OSError):
        for connection in psutil.net_connections(kind="tcp"):
            if connection.laddr and connection.laddr.port == port and connection.pid:
                process = psutil.Process(connection.pid)
                return f"{process.name()} (pid {process.pid}: {' '.join(process.cmdline())[:120]})"
    return "a process of another user"
