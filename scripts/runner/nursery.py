"""The process that our services are forked from: `python -m scripts.runner.nursery LINE ROOM`.

It has loaded what most services load, once. Each service begins as a copy of it, shares that memory with the others,
and is there at once. It reads no setting, opens nothing, and none of our own modules is loaded in it: what a service
is, it reads itself, at every start.
"""

import contextlib
import ctypes
import gc
import importlib
import json
import os
import runpy
import socket
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PRELOADED = (
    "asyncio.subprocess",
    "concurrent.futures.thread",
    "cryptography.hazmat.primitives.asymmetric.ec",
    "cryptography.hazmat.primitives.serialization",
    "fastapi.responses",
    "fsspec.implementations.local",
    "httpx",
    "jwt",
    "kafka",
    "logging.config",
    "orjson",
    "prometheus_client",
    "prometheus_client.openmetrics.exposition",
    "psycopg.rows",
    "psycopg_pool",
    "pydantic_settings",
    "python_multipart",
    "uuid_utils.compat",
    "uvicorn",
    "uvicorn.protocols.http.httptools_impl",
    "uvloop",
)
LONGEST = 200_000
PR_SET_PDEATHSIG = 1
MALLOC = {  # read by the C library before any program begins, and what says the same to one that has begun
    "MALLOC_TRIM_THRESHOLD_": -1,
    "MALLOC_TOP_PAD_": -2,
    "MALLOC_MMAP_THRESHOLD_": -3,
    "MALLOC_MMAP_MAX_": -4,
    "MALLOC_ARENA_MAX": -8,
}


class NotAlone(Exception):
    """A preloaded library has started a thread, which no copy would have."""


@dataclass(frozen=True)
class Order:
    """A process that is asked for. It is the supervisor's child, not the nursery's."""

    module: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    folder: str
    parent: int
    death_signal: int

    @property
    def words(self) -> list[str]:
        return [sys.executable, "-m", self.module, *self.arguments]


def main() -> None:
    line = socket.socket(fileno=int(sys.argv[1]))
    preload()
    line.send(b"ready")
    order = next_order(line)
    if order:
        become(order)


def preload() -> None:
    """Nothing of this is ever freed: then the collector need not touch, and so copy, the pages it is in."""
    gc.disable()
    for name in PRELOADED:
        importlib.import_module(name)
    if len(list(Path("/proc/self/task").iterdir())) > 1:
        raise NotAlone
    gc.collect()
    gc.freeze()


def next_order(line: socket.socket) -> Order | None:
    """In a copy, what it has to become; in the nursery nothing, once nobody is at the other end of the line."""
    while True:
        message, files, _, _ = socket.recv_fds(line, LONGEST, 2)
        if not message:
            return None
        log, go = files
        pid = copied()
        if not pid:
            line.close()
            prepare(log, go)
            return Order(**json.loads(message))
        for file in files:
            os.close(file)
        line.send(str(pid).encode())


def copied() -> int:
    """Fork twice, and 0 in the copy: it is nobody's once the one in between has ended, and the supervisor adopts it."""
    read, write = os.pipe()
    between = os.fork()
    if not between:
        pid = os.fork()
        if pid:
            os.write(write, str(pid).encode())
            os._exit(0)
    os.close(write)
    if not between:
        os.close(read)
        return 0
    os.waitpid(between, 0)
    pid = int(os.read(read, 20) or -1)
    os.close(read)
    return pid


def prepare(log: int, go: int) -> None:
    """A session of its own, its own log; and the word of the supervisor that it knows of this process."""
    os.setsid()
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    word = os.read(go, 1)
    os.close(go)
    if not word:
        os._exit(1)


def become(order: Order) -> None:
    """What the program would have been given, had it been started; then the program."""
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_PDEATHSIG, order.death_signal, 0, 0, 0)
    if os.getppid() != order.parent:  # it was killed in between
        os._exit(1)
    os.chdir(order.folder)
    os.environ.clear()
    os.environ.update(order.environment)
    time.tzset()
    for name in MALLOC.keys() & order.environment.keys():
        libc.mallopt(MALLOC[name], int(order.environment[name]))
    sys.argv[:], sys.orig_argv[:] = ["-m", *order.arguments], order.words
    with contextlib.suppress(OSError, ValueError):
        entitle(" ".join(order.words))
    gc.enable()
    runpy.run_module(order.module, run_name="__main__", alter_sys=True)


def entitle(title: str) -> None:
    """Show in `ps` what it is: the title is written where the arguments lie. No zero at their end tells the system
    that it is one."""
    start, end = map(int, Path("/proc/self/stat").read_text().rpartition(")")[2].split()[45:47])
    room = end - start - 2
    ctypes.memmove(start, os.fsencode(title)[:room].ljust(room + 1, b"\0") + b".", room + 2)


if __name__ == "__main__":
    main()
