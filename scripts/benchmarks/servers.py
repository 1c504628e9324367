"""Installs, starts, watches and ends the servers of a bench."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx
import psutil

from scripts.benchmarks.contenders import ROOT, Command, Contender, Place
from scripts.runner.ports import is_free
from scripts.runner.processes import owner_of_port

STARTING_SECONDS = 60
UV = ROOT / ".tools" / "bin" / "uv"


class DidNotStart(Exception):
    """A server did not answer; the text says what its log ends with."""


def installed(contender: Contender, folder: Path) -> None:
    """Its virtual environment, made once; raises DidNotStart when that fails."""
    done, venv = folder / "installed", folder / "venv"
    wanted = "\n".join((*contender.requirements, contender.site))
    if not contender.requirements or (done.exists() and done.read_text() == wanted):
        return
    sys.stderr.write(f"progress installing={contender.name!r}\n")
    shutil.rmtree(venv, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    for words in (
        ["venv", "-q", "--python", sys.executable, str(venv)],
        [
            "pip",
            "install",
            "-q",
            "--compile-bytecode",
            "--python",
            str(venv / "bin" / "python"),
            *contender.requirements,
        ],
    ):
        made = subprocess.run([str(UV), *words], text=True, capture_output=True, check=False)
        if made.returncode:
            raise DidNotStart(f"cannot be installed: {made.stderr.strip().splitlines()[-1][:160]}")
    if contender.site:
        packages = next(venv.glob("lib/python*/site-packages"))
        (packages / "sitecustomize.py").write_text(contender.site)
    done.write_text(wanted)


@contextlib.contextmanager
def serving(contender: Contender, place: Place) -> Iterator[list[int]]:
    """It runs and answers; gives the ids of its processes. Raises DidNotStart."""
    log = place.folder / "log"
    place.folder.mkdir(parents=True, exist_ok=True)
    commands = contender.start(place)
    busy = [port for port in contender.ports(place.port) if not is_free(port)]
    if commands and busy:
        raise DidNotStart(f"port {busy[0]} is taken by {owner_of_port(busy[0])}")
    with log.open("wb") as output:
        processes = [started(command, output.fileno()) for command in commands]
        try:
            for port in contender.grpc_ports(place.port) if contender.grpc_ports else ():
                listening(port, processes, log)
            for port in contender.ports(place.port):
                answers(f"http://{contender.host}:{port}{contender.path}", contender.body, processes, log)
            yield [process.pid for process in processes]
        finally:
            ended(processes)


def started(command: Command, output: int) -> "subprocess.Popen[bytes]":
    """A process with a group of its own, so that all of it can be ended."""
    return subprocess.Popen(
        list(command.words),
        cwd=command.folder,
        env={**os.environ, **command.environment},
        stdout=output,
        stderr=output,
        start_new_session=True,
    )


def listening(port: int, processes: "Sequence[subprocess.Popen[bytes]]", log: Path) -> None:
    """Wait until the port is open."""
    deadline = time.monotonic() + STARTING_SECONDS
    while time.monotonic() < deadline and all(process.poll() is None for process in processes):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise DidNotStart(f"port {port} is not open: {log.read_text(errors='replace')[-100:]}")


def answers(url: str, body: str, processes: "Sequence[subprocess.Popen[bytes]]", log: Path) -> None:
    """Wait until the model itself answers."""
    deadline = time.monotonic() + STARTING_SECONDS
    last = ""
    while time.monotonic() < deadline and all(process.poll() is None for process in processes):
        try:
            answer = httpx.post(url, content=body, headers={"content-type": "application/json"}, timeout=5)
            last = answer.text
            if answer.status_code == 200 and '"default"' not in answer.text:
                return
        except httpx.HTTPError as error:
            last = repr(error)
        time.sleep(0.1)
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    raise DidNotStart((lines[-1] if lines else last)[:160])


def reached(url: str, body: bytes, log: Path) -> None:
    """Wait until the model itself answers a binary body."""
    deadline, last = time.monotonic() + STARTING_SECONDS, ""
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.HTTPError):
            last = httpx.post(url, content=body, timeout=10).text
            if '"served_by":"model"' in last.replace(" ", ""):
                return
        time.sleep(0.1)
    raise DidNotStart(f"{last[:100]} {log}")


def ended(processes: "Sequence[subprocess.Popen[bytes]]") -> None:
    """Ask every process of the groups to stop; those that do not in time are killed."""
    family = [member for process in processes for member in _family(process.pid)]
    for process in processes:
        _signal(process.pid, signal.SIGTERM)
    _, alive = psutil.wait_procs(family, timeout=10)
    for member in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            member.kill()
    for process in processes:
        process.wait()


def _family(pid: int) -> list[psutil.Process]:
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    return []


def _signal(group: int, what: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, what)


def memory_mb(pids: Sequence[int]) -> float:
    """What all processes of these groups take together; shared pages are counted once (PSS) where the system tells."""
    total = 0
    for pid in pids:
        for member in _family(pid):
            with contextlib.suppress(psutil.Error):
                full = member.memory_full_info()
                total += getattr(full, "pss", full.rss)
    return total / 1e6
