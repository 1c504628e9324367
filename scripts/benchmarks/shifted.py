"""The time-shifted pattern as a client meets it: when each of the two answers is there, and whether all come.

    scripts/bench shifted [--requests 300] [--page docs/benchmarks.md]

640x480 photos that nobody asked about before go to `proxy` through the gateway of a local platform; the slow answer
is listened for (server-sent events). Then more are sent while `proxy` is killed with kill -9: whatever it had
accepted must get its slow answer.
"""

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import httpx
import numpy as np

from scripts.benchmarks.registration import photos, picture
from scripts.benchmarks.running import Running, add_platform, kill_one, processes, signed_in
from scripts.benchmarks.serving import told
from scripts.benchmarks.tables import Bound, table

SERVICE = "proxy"
AT_ONCE = (1, 4)
SENT_AROUND_THE_KILL, ACCEPTED_BEFORE_IT = 40, 10
PATIENCE_SECONDS = 120.0
HEADER = ("at once", "quick p50 ms", "p95 ms", "slow p50 ms", "p95 ms", "quick p95 / slow p50", "both came")


@dataclass(frozen=True)
class Answers:
    """Seconds from asking until each answer was there; None: it never came."""

    fast: float | None
    slow: float | None


@dataclass(frozen=True)
class Row:
    """What came of some questions."""

    at_once: int
    answers: Sequence[Answers]

    @property
    def both(self) -> list[tuple[float, float]]:
        """Where both answers came."""
        return [(one.fast, one.slow) for one in self.answers if one.fast is not None and one.slow is not None]

    @property
    def came(self) -> float:
        """For which part they did."""
        return len(self.both) / len(self.answers)

    @property
    def percentiles(self) -> list[float]:
        """In ms: p50 and p95 of the quick answer, then of the slow one."""
        return [1000 * float(np.percentile(some, at)) for some in zip(*self.both, strict=True) for at in (50, 95)]

    @property
    def ratio(self) -> float:
        """The quick answer's p95 beside the slow one's median."""
        return self.percentiles[1] / self.percentiles[2]

    def cells(self) -> list[str]:
        """As the table has it."""
        figures = [f"{one:.0f}" for one in self.percentiles]
        return [str(self.at_once), *figures, f"{self.ratio:.2f}", f"{self.came:.0%}"]


class Asking:
    """Asks about photos, each of them once."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http
        self.photos = (picture(pixels, number) for number, pixels in enumerate(cycle(photos())))

    async def post(self, photo: bytes) -> httpx.Response:
        """One question."""
        return await self._http.post("/api/proxy/predict", content=photo)

    async def both(self, photo: bytes) -> Answers:
        """The quick answer, then the slow one."""
        started = time.perf_counter()
        answer = await self.post(photo)
        if answer.status_code != 202 or answer.json()["fast"] is None:
            return Answers(None, None)
        fast = time.perf_counter() - started
        async with self._http.stream("GET", f"{answer.headers['location']}/events") as events:
            async for line in events.aiter_lines():
                if line.startswith("data:") and '"done"' in line:
                    return Answers(fast, time.perf_counter() - started)
        return Answers(fast, None)

    async def arrived(self, job: str) -> bool:
        """Whether the slow answer comes, whoever is away meanwhile."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            answer = await self._http.get(f"/api/proxy/jobs/{job}")
            if answer.status_code == 200:
                return bool(answer.json()["state"] == "done")
            await asyncio.sleep(0.2)
        return False


async def timed(asking: Asking, requests: int, at_once: int) -> Row:
    """So many questions, so many at the same time."""
    found, left = list[Answers](), iter(range(requests))

    async def client() -> None:
        for number in left:
            found.append(await asking.both(next(asking.photos)))
            if number % 20 == 0:
                sys.stderr.write(f"progress asked={number} total={requests} at_once={at_once}\n")

    await asyncio.gather(*(client() for _ in range(at_once)))
    return Row(at_once, found)


async def around_a_kill(asking: Asking, state: Path) -> Bound:
    """Whether all that was accepted around a kill -9 of the proxy got its slow answer."""
    accepted, killed = list[str](), 0
    sent = [asyncio.create_task(asking.post(next(asking.photos))) for _ in range(SENT_AROUND_THE_KILL)]
    for done in asyncio.as_completed(sent):
        answer = await done
        if answer.status_code in (200, 202):
            accepted.append(answer.json()["id"])
        if len(accepted) == ACCEPTED_BEFORE_IT and not killed:
            killed = kill_one(state, SERVICE)
    came = sum(await asyncio.gather(*map(asking.arrived, accepted)))
    what = f"the same of {len(accepted)} accepted around a kill -9 of the proxy"
    return Bound(what, came / len(accepted) if killed else 0.0, 1.0)


async def measure(platform: Running, state: Path, requests: int) -> tuple[str, list[Bound]]:
    """The table, and what must hold."""
    async with httpx.AsyncClient(base_url=platform.url, timeout=60) as http:
        await signed_in(http, platform)
        asking = Asking(http)
        await timed(asking, 10, 1)  # connections are opened, caches filled
        rows = [await timed(asking, requests, at_once) for at_once in AT_ONCE]
        bounds = [
            Bound("quick p95 beside slow p50, one at a time", rows[0].ratio, 0.5, most=True),
            Bound("part of the questions that got both answers", min(row.came for row in rows), 1.0),
            await around_a_kill(asking, state),
        ]
    return table(HEADER, [row.cells() for row in rows]), bounds


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure the local platform of STATE_DIR; 0 when every bound was kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_platform(parser)
    parser.add_argument("--requests", type=int, default=300)
    parser.add_argument("--page", type=Path, help="write the table into this Markdown page")
    given = parser.parse_args(arguments)
    state = Path(os.environ.get("STATE_DIR", ".state"))
    if not processes(state, SERVICE):
        sys.stderr.write(f"no {SERVICE} runs in {state}: this needs a local platform (scripts/up)\n")
        return 2
    shown, bounds = asyncio.run(measure(Running.of(given), state, given.requests))
    return told(given.page, "shifted", shown, bounds)


if __name__ == "__main__":
    sys.exit(main())
