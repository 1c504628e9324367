"""How many waiting items a second are screened, while a worker is killed every now and then.

    scripts/bench screening [--items 3000] [--kill-every 15]

The workers of a local platform are stopped (SIGSTOP), 640x480 pictures are registered through the public
API until so many items wait, and the workers go on: the clock starts. One of them is killed with kill -9
every so many seconds; the runner brings it back. Every item must get exactly one verdict.
"""

import argparse
import asyncio
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

import httpx

from scripts.benchmarks.effort import cpu_seconds
from scripts.benchmarks.registration import photos, picture, register
from scripts.benchmarks.running import Running, add_platform, kill_one, processes, signed_in

FLOOR, MOONSHOT = 50.0, 100.0
WORKER = "inference-async"
DEADLINE_SECONDS = 900.0
LOOK_SECONDS = 1.0
"""To count all items costs as much as to screen one."""


@dataclass
class Drained:
    """How a backlog went down."""

    items: int
    states: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    killed: int = 0
    effort: dict[str, float] = field(default_factory=dict)
    steps: list[tuple[float, int]] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Items a second, on average."""
        return (self.items - self.states["screening"]) / self.seconds


def signalled(state: Path, number: signal.Signals) -> None:
    """Stop or continue all of them."""
    for unit in processes(state, WORKER):
        if unit.pid:
            with suppress(ProcessLookupError):
                os.kill(unit.pid, number)


async def fill(http: httpx.AsyncClient, count: int) -> list[str]:
    """So many items that nobody screens yet; their ids."""
    slots, ids = asyncio.Semaphore(8), list[str]()

    async def one(number: int, content: bytes) -> None:
        async with slots:
            found = await register(http, content, number)
            if found:
                ids.append(found)

    for start in range(0, count, 100):
        numbers = range(start, min(start + 100, count))
        made = [picture(pixels, number) for number, pixels in zip(numbers, cycle(photos()), strict=False)]
        await asyncio.gather(*(one(number, content) for number, content in zip(numbers, made, strict=True)))
        sys.stderr.write(f"progress waiting={len(ids)} total={count}\n")
    return ids


async def waiting(http: httpx.AsyncClient) -> int:
    """Items without a verdict."""
    return int((await http.get("/api/items/statistics")).json()["states"].get("screening", 0))


async def drain(http: httpx.AsyncClient, state: Path, count: int, kill_every: float) -> Drained:
    """Let them work until nothing waits, and kill one of them now and then."""
    result, started, before = Drained(count), time.monotonic(), cpu_seconds(state)
    signalled(state, signal.SIGCONT)
    next_kill = started + kill_every
    while (left := await waiting(http)) and time.monotonic() - started < DEADLINE_SECONDS:
        now = time.monotonic()
        result.steps.append((now - started, left))
        if kill_every and now >= next_kill:
            result.killed += kill_one(state, WORKER, result.killed)
            next_kill += kill_every
        await asyncio.sleep(LOOK_SECONDS)
    result.seconds = time.monotonic() - started
    result.effort = {name: max(0.0, spent - before.get(name, 0.0)) for name, spent in cpu_seconds(state).items()}
    return result


async def states(http: httpx.AsyncClient, ids: Sequence[str]) -> Counter[str]:
    """What became of each item."""
    slots = asyncio.Semaphore(16)

    async def one(item_id: str) -> str:
        async with slots:
            return str((await http.get(f"/api/items/{item_id}")).json().get("state", "unknown"))

    return Counter(await asyncio.gather(*map(one, ids)))


def table(result: Drained, registered: int) -> str:
    """What is printed."""
    lost = registered - sum(result.states.values()) + result.states["screening"] + result.states["unknown"]
    verdict = "moonshot" if result.rate >= MOONSHOT else "ok" if result.rate >= FLOOR else "MISSED"
    rows = [
        ("items waiting", f"{registered}"),
        ("seconds until all were screened", f"{result.seconds:.1f}"),
        ("items/s on average", f"{result.rate:.1f}   floor {FLOOR:g}: {verdict}"),
        ("workers killed -9 meanwhile", f"{result.killed}"),
        ("lost", f"{lost}"),
        ("states", str(dict(result.states))),
        ("CPU ms an item", f"{effort(result)}   (of workers killed meanwhile it is not known)"),
        ("cores", f"{len(os.sched_getaffinity(0))}, load at the end {os.getloadavg()[0]:.1f}"),
    ]
    return "\n".join(f"{name:34} {value}" for name, value in rows)


def effort(result: Drained) -> str:
    """Who the time goes to, the dearest first."""
    each = {name: 1000 * spent / max(result.items, 1) for name, spent in result.effort.items()}
    dearest = sorted(each, key=lambda name: -each[name])
    parts = ", ".join(f"{name} {each[name]:.1f}" for name in dearest if each[name] >= 0.1)
    return f"{sum(each.values()):.1f} in all: {parts}"


async def measure(platform: Running, state: Path, items: int, kill_every: float) -> bool:
    """Fill, drain, count."""
    async with httpx.AsyncClient(base_url=platform.url, timeout=60, limits=httpx.Limits(max_connections=32)) as http:
        await signed_in(http, platform)
        signalled(state, signal.SIGSTOP)
        try:
            ids = await fill(http, items)
            result = await drain(http, state, len(ids), kill_every)
        finally:
            signalled(state, signal.SIGCONT)
        result.states = await states(http, ids)
    print(table(result, len(ids)))
    return result.rate >= FLOOR and not result.states["screening"] and not result.states["unknown"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure the local platform of STATE_DIR."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_platform(parser)
    parser.add_argument("--items", type=int, default=3000)
    parser.add_argument("--kill-every", type=float, default=15.0, help="seconds; 0 kills nobody")
    given = parser.parse_args(arguments)
    state = Path(os.environ.get("STATE_DIR", ".state"))
    if not processes(state, WORKER):
        sys.stderr.write(f"no {WORKER} runs in {state}: this needs a local platform (scripts/up)\n")
        return 2
    return 0 if asyncio.run(measure(Running.of(given), state, given.items, given.kill_every)) else 1


if __name__ == "__main__":
    sys.exit(main())
