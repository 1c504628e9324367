"""How long registered -> searchable takes, as the platform itself measures it for every item.

    scripts/bench registration [--rate 20] [--seconds 30] [--idle 30]

Users register 640x480 photos through the public API: one at a time, then at a fixed rate that does
not wait for answers (an open loop: a slow platform is not spared).
"""

import argparse
import asyncio
import io
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import cycle
from typing import Any

import httpx
import numpy as np
import skimage.data
from PIL import Image
from sklearn.datasets import load_sample_image

from scripts.benchmarks.running import Running, add_platform, signed_in

FLOORS = {"idle": ("p50", 0.5), "load": ("p95", 3.0)}
FINAL = ("rejected", "needs_review", "withdrawn")


@dataclass(frozen=True)
class Outcome:
    """What became of one registration."""

    state: str
    seconds: float | None


def photos() -> list[np.ndarray[Any, Any]]:
    """Photos that packages ship, at 640x480: they are published, which is what is timed."""
    raw = [
        skimage.data.chelsea(),
        skimage.data.coffee(),
        load_sample_image("flower.jpg"),
        load_sample_image("china.jpg"),
    ]
    return [np.asarray(Image.fromarray(pixels).resize((640, 480))) for pixels in raw]


def picture(pixels: np.ndarray[Any, Any], number: int) -> bytes:
    """A picture nobody uploaded before: a few pixels of it are the number's own."""
    own = pixels.copy()
    own[:4, :32] = np.random.default_rng([number, time.time_ns() % 2**32]).integers(0, 255, (4, 32, 3), np.uint8)
    out = io.BytesIO()
    Image.fromarray(own).save(out, "JPEG", quality=90)
    return out.getvalue()


async def register(http: httpx.AsyncClient, content: bytes, number: int) -> str | None:
    """Upload and register; the id, or None when it was not accepted."""
    upload = await http.post("/api/images", files={"file": ("photo.jpg", content)})
    if upload.status_code != 201:
        return None
    body = {"image_id": upload.json()["id"], "title": f"計測 measured {number}", "description": ""}
    item = await http.post("/api/items", json=body)
    return str(item.json()["id"]) if item.status_code == 201 else None


async def outcome(http: httpx.AsyncClient, item_id: str, deadline: float) -> Outcome:
    """Wait for the platform's own measurement of an item."""
    while True:
        item = (await http.get(f"/api/items/{item_id}")).json()
        if item.get("searchable_at"):
            taken = _at(item["searchable_at"]) - _at(item["registered_at"])
            return Outcome("searchable", taken.total_seconds())
        if item.get("state") in FINAL or time.monotonic() > deadline:
            return Outcome(item.get("state", "unknown"), None)
        await asyncio.sleep(0.05)


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def idle(http: httpx.AsyncClient, count: int) -> list[Outcome]:
    """One registration after the other."""
    found = []
    for number, pixels in zip(range(count), cycle(photos()), strict=False):
        item_id = await register(http, picture(pixels, number), number)
        found.append(await outcome(http, item_id, time.monotonic() + 30) if item_id else Outcome("refused", None))
    return found


async def load(http: httpx.AsyncClient, rate: float, seconds: float) -> list[Outcome]:
    """A registration every 1/rate seconds, whatever the answers do."""
    count = int(rate * seconds)
    contents = [picture(pixels, number) for number, pixels in zip(range(count), cycle(photos()), strict=False)]
    started = time.monotonic()
    tasks = []
    for number, content in enumerate(contents):
        await asyncio.sleep(max(0.0, started + number / rate - time.monotonic()))
        tasks.append(asyncio.create_task(register(http, content, number)))
        if number % int(rate * 2) == 0:
            sys.stderr.write(f"progress registered={number} total={count}\n")
    accepted = await asyncio.gather(*tasks, return_exceptions=True)
    deadline = time.monotonic() + 60
    ids = [item_id for item_id in accepted if isinstance(item_id, str)]
    lost = [Outcome("refused", None)] * (count - len(ids))
    return lost + [await outcome(http, item_id, deadline) for item_id in ids]


def row(name: str, outcomes: Sequence[Outcome]) -> str:
    """One line of the table, with the bound beside what was measured."""
    taken = sorted(o.seconds for o in outcomes if o.seconds is not None)
    quantile, bound = FLOORS[name]
    figures = {p: float(np.percentile(taken, int(p[1:]))) if taken else float("nan") for p in ("p50", "p95", "p99")}
    states = {state: sum(o.state == state for o in outcomes) for state in sorted({o.state for o in outcomes})}
    verdict = "ok" if figures[quantile] <= bound else "MISSED"
    cells = " ".join(f"{p} {seconds:6.3f} s" for p, seconds in figures.items())
    return f"{name:5} {cells}   bound {quantile} <= {bound} s {verdict}   {states}"


async def measure(platform: Running, rate: float, seconds: float, idle_count: int) -> bool:
    """Print the table; whether every bound was kept and nothing was lost."""
    limits = httpx.Limits(max_connections=64)
    async with httpx.AsyncClient(base_url=platform.url, timeout=30, limits=limits) as http:
        await signed_in(http, platform)
        one_by_one = await idle(http, idle_count)
        print(row("idle", one_by_one), flush=True)
        at_rate = await load(http, rate, seconds)
        print(row("load", at_rate) + f"   at {rate:g}/s for {seconds:g} s", flush=True)
    text = [row("idle", one_by_one), row("load", at_rate)]
    return not any("MISSED" in line for line in text) and all(o.state == "searchable" for o in one_by_one + at_rate)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure a running platform."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_platform(parser)
    parser.add_argument("--rate", type=float, default=20)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--idle", type=int, default=30)
    given = parser.parse_args(arguments)
    return 0 if asyncio.run(measure(Running.of(given), given.rate, given.seconds, given.idle)) else 1


if __name__ == "__main__":
    sys.exit(main())
