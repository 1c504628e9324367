"""Load from outside: wrk for REST, h2load for gRPC and for a set rate. Both come with Debian."""

import json
import os
import shutil
import statistics
import subprocess
import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

SCRIPT = Path(__file__).with_name("post.lua")
LOOPBACK = "127.0.0.1"
PACKAGES = {"wrk": "wrk", "h2load": "nghttp2-client"}


class Missing(Exception):
    """A load generator is not installed."""


@dataclass(frozen=True)
class Measured:
    """One round of load: answers a second, milliseconds, and what was not answered well."""

    rps: float
    p50_ms: float
    p99_ms: float
    errors: int
    answered: int


def options(purpose: str | None, *, seconds: float = 4) -> ArgumentParser:
    """What every bench that makes load may be told."""
    parser = ArgumentParser(description=purpose, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=seconds)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--page", type=Path, help="write the tables into this Markdown page")
    return parser


def ready(parser: ArgumentParser, arguments: Sequence[str] | None) -> Namespace:
    """What was told, once there is something to make load with; from here on, so many cores are used."""
    given = parser.parse_args(arguments)
    try:
        needed()
    except Missing as missing:
        parser.exit(2, f"bench: {missing}\n")
    pinned(given.cores)
    return given


def needed() -> None:
    """Raises Missing, naming what to install."""
    missing = [package for program, package in PACKAGES.items() if not shutil.which(program)]
    if missing:
        raise Missing(f"load generators are missing: apt-get install {' '.join(missing)}")


def wrk(
    ports: Sequence[int],
    path: str,
    body: str,
    connections: int,
    seconds: float,
    token: str = "",
    host: str = LOOPBACK,
) -> Measured:
    """A closed loop of so many connections, spread over the ports."""
    threads = 1 if connections == 1 else 2
    options = [f"-t{threads}", f"-c{connections}", f"-d{seconds:g}s", "--timeout", "10s", "-s", str(SCRIPT)]
    given = {"BODY": body, "HOST": host, "PORTS": ",".join(map(str, ports))} | ({"TOKEN": token} if token else {})
    words = ["wrk", *options, f"http://{host}:{ports[0]}{path}"]
    done = subprocess.run(words, env={**os.environ, **given}, text=True, capture_output=True, check=True)
    told = json.loads(done.stdout.strip().splitlines()[-1])
    well = told["answered"] - told["refused"]
    return Measured(
        rps=well / told["seconds"],
        p50_ms=told["p50_ms"],
        p99_ms=told["p99_ms"],
        errors=told["refused"] + told["broken"],
        answered=well,
    )


def h2load(
    ports: Sequence[int], path: str, body: Path, headers: Sequence[str], clients: int, seconds: float
) -> Measured:
    """A closed loop over HTTP/2, one request at a time on each connection; several ports at once."""
    return _closed(ports, path, body, headers, clients, seconds, "-m1")


def h1load(
    ports: Sequence[int], path: str, body: Path, headers: Sequence[str], clients: int, seconds: float
) -> Measured:
    """The same over HTTP/1.1: for bodies that are no text."""
    return _closed(ports, path, body, headers, clients, seconds, "--h1")


def _closed(
    ports: Sequence[int], path: str, body: Path, headers: Sequence[str], clients: int, seconds: float, protocol: str
) -> Measured:
    options = [protocol, f"-c{max(1, clients // len(ports))}", f"-D{seconds:g}"]
    with TemporaryDirectory() as folder:
        logs = [Path(folder) / str(port) for port in ports]
        running = [
            subprocess.Popen(
                _words(log, f"http://127.0.0.1:{port}{path}", body, headers, options), stdout=subprocess.DEVNULL
            )
            for port, log in zip(ports, logs, strict=True)
        ]
        for process in running:
            process.wait()
        return _read(logs, seconds)


def at_rate(
    port: int, path: str, body: Path, headers: Sequence[str], rate: int, seconds: float
) -> tuple[Measured, Counter[str]]:
    """An open loop over HTTP/1.1: so many requests a second, whatever the answers do; also the answers by status."""
    clients = 50
    options = ["--h1", f"-c{clients}", f"--rps={rate / clients:g}", f"-n{int(rate * seconds)}"]
    with TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        words = _words(log, f"http://127.0.0.1:{port}{path}", body, headers, options)
        subprocess.run(words, stdout=subprocess.DEVNULL, check=True)
        return _read([log], seconds), Counter(line.split("\t")[1] for line in log.read_text().splitlines())


def _words(log: Path, url: str, body: Path, headers: Sequence[str], options: Sequence[str]) -> list[str]:
    given = [word for header in headers for word in ("-H", header)]
    return ["h2load", "-t1", *options, f"--log-file={log}", "-d", str(body), *given, url]


def _read(logs: Sequence[Path], seconds: float) -> Measured:
    """Each line: start (µs), status, duration (µs)."""
    lines = [line.split("\t") for log in logs for line in log.read_text().splitlines()]
    taken = [int(line[2]) / 1000 for line in lines if line[1] == "200"]
    cuts = statistics.quantiles(taken, n=100) if len(taken) > 1 else [float("nan")] * 99
    return Measured(len(taken) / seconds, cuts[49], cuts[98], len(lines) - len(taken), len(taken))


def pinned(cores: int) -> None:
    """Everything started from here on shares the first so many cores: the servers and who asks them."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
    elif (os.cpu_count() or 1) > cores:
        sys.stderr.write(f"this system cannot pin processes: all {os.cpu_count()} cores are used\n")
