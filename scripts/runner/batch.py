"""Run a batch job now, through the running platform, and follow it; without a name, list the last runs.

scripts/batch [JOB [--window START/END]]
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from scripts.runner.site import Site
from scripts.runner.training import signed_in

FINAL = ("done", "failed")


def main(site: Site, arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/batch", description="Run a batch job now.")
    parser.add_argument("job", nargs="?", help="a job that has a schedule; none lists the last runs")
    parser.add_argument("--window", help="START/END in ISO 8601; the last one that is over, if none is given")
    options = parser.parse_args(arguments)
    address = f"http://127.0.0.1:{site.port}"
    try:
        with httpx.Client(base_url=address, timeout=30, headers=signed_in(site, address)) as client:
            return run(client, options.job, options.window) if options.job else listed(client)
    except httpx.HTTPError as problem:
        print(f"batch: the platform does not answer: {problem}", file=sys.stderr)
        return 1


def listed(client: httpx.Client) -> int:
    """The schedules and the last runs."""
    found = client.get("/api/batch/runs").raise_for_status().json()
    for schedule in found["schedules"]:
        print(f"batch: {schedule['job']} every {schedule['every']}, deadline {schedule['deadline']}")
    for one in found["runs"]:
        print(
            f"batch: {one['job']} {window(one)} {one['state']} {one['done']} done {one['failed']} failed {one['error']}"
        )
    return 0


def run(client: httpx.Client, job: str, window_: str | None, pause: Callable[[float], None] = time.sleep) -> int:
    """Ask for a run and show how far it is until it ends."""
    asked = client.post("/api/batch/runs", json={"job": job} | ({"window": window_} if window_ else {}))
    if not asked.is_success:
        print(f"batch: {refusal(asked)}", file=sys.stderr)
        return 1
    told = dict(asked.json())
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(f"{job} {window(told)}", total=None)
        while told["state"] not in FINAL:
            pause(0.5)
            answer = client.get(f"/api/batch/runs/{told['id']}")
            told = dict(answer.json()) if answer.is_success else told
            progress.update(task, completed=told["done"] + told["failed"], total=told["total"])
    print(f"batch: {job} {window(told)}: {told['state']}, {told['done']} done, {told['failed']} failed {told['error']}")
    if told["state"] == "done" and not told["done"]:
        print("batch: there was nothing to do: the versions that serve now judged all of it")
    for key, error in list((told.get("failures") or {}).items())[:10]:
        print(f"batch: {key}: {error}", file=sys.stderr)
    return 0 if told["state"] == "done" else 1


def refusal(answer: httpx.Response) -> str:
    """What is wrong, where, and what is allowed, in one line."""
    try:
        problem = answer.json()
        faults = [f"{one['where']}: {one['what']} (allowed: {one.get('allowed', '?')})" for one in problem["errors"]]
        return "; ".join([problem["title"], *faults])
    except (ValueError, KeyError, TypeError):
        return answer.text[:300]


def window(run: dict[str, Any]) -> str:
    return f"{run['window_start'][:16]}/{run['window_end'][:16]}"
