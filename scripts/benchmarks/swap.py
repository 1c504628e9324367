"""A new champion while clients ask: how soon every replica serves it, and whether anybody notices.

    scripts/bench swap [--swaps 3] [--clients 4] [--page docs/benchmarks.md]

The champion of image_quick on a local platform is registered once more and promoted, again and again, while clients
ask the model through the gateway without a pause. In the end the version that was there before is champion again.
"""

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from scripts.benchmarks.registration import photos, picture
from scripts.benchmarks.running import Running, add_platform, processes, signed_in
from scripts.benchmarks.serving import told
from scripts.benchmarks.tables import Bound, table

HOST, REGISTRY, MODEL = "inference-sync", "mlflow", "image_quick"
LIVE_WITHIN_SECONDS = 10.0
ANSWERS_BETWEEN = 100


@dataclass(frozen=True)
class Registry:
    """A platform's MLflow, to which a version of a model can be added, and the replicas that serve it."""

    http: httpx.Client
    replicas: Sequence[str]
    model: str = MODEL

    def call(self, method: str, path: str, **options: Any) -> Any:
        """A call that must succeed."""
        answer = self.http.request(method, f"/api/2.0/mlflow/{path}", **options)
        answer.raise_for_status()
        return answer.json()

    def champion(self) -> dict[str, Any]:
        """The version that is champion."""
        found = self.call("GET", "registered-models/alias", params={"name": self.model, "alias": "champion"})
        return dict(found["model_version"])

    def copied(self, *, spoilt: bool = False) -> str:
        """The champion registered once more, or as if its manifest had been tampered with; the new number."""
        champion = self.champion()
        body = {"name": self.model, "source": champion["source"], "run_id": champion["run_id"]}
        body["tags"] = [{"key": "manifest_sha256", "value": "0" * 64}] if spoilt else champion["tags"]
        return str(self.call("POST", "model-versions/create", json=body)["model_version"]["version"])

    def promote(self, version: str) -> None:
        """As people do it."""
        subprocess.run(["scripts/promote", self.model, version], check=True, capture_output=True)

    def metrics(self) -> list[str]:
        """What each replica shows."""
        return [httpx.get(f"http://{replica}/metrics", timeout=10).text for replica in self.replicas]

    def live(self, version: str) -> bool:
        """Whether every replica serves it."""
        line = f'model_info{{model="{self.model}",version="{version}"}} 1.0'
        return all(line in text for text in self.metrics())


@dataclass
class Clients:
    """They ask without a pause."""

    http: httpx.AsyncClient
    photo: bytes
    versions: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    stopped: bool = False

    def have(self, answers: int, version: str | None = None) -> bool:
        """Whether there were so many answers, or so many of a version."""
        return (self.versions[version] if version else self.versions.total()) >= answers

    async def ask(self) -> None:
        """One of them, until told to stop."""
        while not self.stopped:
            try:
                answer = await self.http.post(f"/v2/models/{MODEL}/predict", content=self.photo)
            except httpx.HTTPError as error:
                self.failed.append(repr(error))
                continue
            if answer.status_code == 200 and answer.json()["served_by"] == "model":
                self.versions[answer.json()["version"]] += 1
            else:
                self.failed.append(f"{answer.status_code} {answer.text[:200]}")


async def until(condition: Callable[[], bool], what: str, seconds: float = 60.0) -> float:
    """Seconds until it held; raises SystemExit when it does not in time."""
    started = time.monotonic()
    while not await asyncio.to_thread(condition):
        if time.monotonic() - started > seconds:
            raise SystemExit(f"bench: {what} did not come in {seconds:g} s")
        await asyncio.sleep(0.1)
    return time.monotonic() - started


async def swaps(registry: Registry, clients: Clients, number: int) -> list[float]:
    """Seconds from each promotion until every replica served the new version."""
    taken, before = [], registry.champion()["version"]
    try:
        for turn in range(number):
            version = await asyncio.to_thread(registry.copied)
            asked = clients.versions.total()
            await until(partial(clients.have, asked + ANSWERS_BETWEEN), "answers")
            await asyncio.to_thread(registry.promote, version)
            taken.append(await until(partial(registry.live, version), f"version {version}"))
            sys.stderr.write(f"progress swap={turn + 1}/{number} seconds={taken[-1]:.1f}\n")
            await until(partial(clients.have, ANSWERS_BETWEEN, version), "its answers")
    finally:
        registry.promote(before)
    return taken


async def measure(platform: Running, registry: Registry, number: int, count: int) -> tuple[str, list[Bound]]:
    """The table, and what must hold."""
    async with httpx.AsyncClient(base_url=platform.url, timeout=30) as http:
        await signed_in(http, platform)
        clients = Clients(http, picture(photos()[0], 0))
        asking = [asyncio.create_task(clients.ask()) for _ in range(count)]
        try:
            taken = await swaps(registry, clients, number)
        finally:
            clients.stopped = True
            await asyncio.gather(*asking)
    answered = clients.versions.total()
    header = ("swaps", "clients", "answers", "failed", "live everywhere after, median", "longest")
    row = [str(number), str(count), f"{answered:,}", str(len(clients.failed))]
    row += [f"{statistics.median(taken):.1f} s", f"{max(taken):.1f} s"]
    for one in clients.failed[:3]:
        sys.stderr.write(f"bench: {one}\n")
    return table(header, [row]), [
        Bound("requests that failed while the champion changed", len(clients.failed), 0, most=True),
        Bound("seconds until every replica serves the new champion", max(taken), LIVE_WITHIN_SECONDS, most=True),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure the local platform of STATE_DIR; 0 when every bound was kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_platform(parser)
    parser.add_argument("--swaps", type=int, default=3)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--page", type=Path, help="write the table into this Markdown page")
    given = parser.parse_args(arguments)
    state = Path(os.environ.get("STATE_DIR", ".state"))
    replicas = [f"127.0.0.1:{unit.ports[HOST]}" for unit in processes(state, HOST)]
    if not replicas:
        sys.stderr.write(f"no {HOST} runs in {state}: this needs a local platform (scripts/up)\n")
        return 2
    port = processes(state, REGISTRY)[0].ports[REGISTRY]
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as http:
        registry = Registry(http, replicas)
        shown, bounds = asyncio.run(measure(Running.of(given), registry, given.swaps, given.clients))
    return told(given.page, "swap", shown, bounds)


if __name__ == "__main__":
    sys.exit(main())
