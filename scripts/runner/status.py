"""What runs, and what it costs.

scripts/status [--json]
"""

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table

from scripts.runner import processes
from scripts.runner.board import Record, read
from scripts.runner.display import COLOURS
from scripts.runner.site import Site
from scripts.runner.supervisor import is_up

SAMPLE = 0.5


@dataclass
class Cost:
    """What one unit, its children included, takes at the moment."""

    pids: list[int]
    memory_mb: float
    cpu_percent: float


def main(site: Site, arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/status", description="What runs, and what it costs.")
    parser.add_argument("--json", action="store_true", help="for programs")
    options = parser.parse_args(arguments)
    told = read(site.state)
    if told is None or not is_up(site.state):
        print(json.dumps({"up": False}) if options.json else "status: the platform is down")
        return 1
    costs = measured(told.supervisor, told.units)
    if options.json:
        print(json.dumps(as_json(told.port, told.units, costs), indent=1))
    else:
        _table(site, told.units, costs)
    return 0


def measured(supervisor: int | None, units: Sequence[Record]) -> dict[str, Cost]:
    """By name; the supervisor, and what it has started for itself, is part of what the platform costs."""
    families = {unit.name: processes.family(unit.pid, unit.started) if unit.pid else [] for unit in units}
    known = {process.pid for family in families.values() for process in family}
    families["runner"] = [process for process in processes.own(supervisor) if process.pid not in known]
    before = {name: sum(map(processes.cpu_seconds, family)) for name, family in families.items()}
    began = time.monotonic()
    memory = {name: sum(map(processes.memory, family)) for name, family in families.items()}
    time.sleep(max(0.0, SAMPLE - (time.monotonic() - began)))  # the sample itself
    passed = time.monotonic() - began
    return {
        name: Cost(
            [process.pid for process in family],
            round(memory[name], 1),
            round(max(0.0, 100 * (sum(map(processes.cpu_seconds, family)) - before[name]) / passed), 1),
        )
        for name, family in families.items()
    }


def as_json(port: int, units: Sequence[Record], costs: dict[str, Cost]) -> dict[str, object]:
    return {
        "up": True,
        "port": port,
        "memory_mb": round(sum(cost.memory_mb for cost in costs.values()), 1),
        "cpu_percent": round(sum(cost.cpu_percent for cost in costs.values()), 1),
        "services": [{**asdict(unit), **asdict(costs[unit.name])} for unit in units],
        "runner": asdict(costs["runner"]),
    }


def _table(site: Site, units: Sequence[Record], costs: dict[str, Cost]) -> None:
    table = Table(box=None)
    for name in ("service", "state", "pid"):
        table.add_column(name)
    for name in ("ports", "restarts", "PSS MB", "CPU %"):
        table.add_column(name, justify="right")
    for unit in units:
        state = f"[{COLOURS.get(unit.state, 'cyan')}]{unit.state}[/]"
        ports = " ".join(map(str, unit.ports.values()))
        table.add_row(unit.name, state, str(unit.pid or ""), ports, str(unit.restarts), *_cost(costs[unit.name]))
    table.add_row("runner", "", " ".join(map(str, costs["runner"].pids)), "", "", *_cost(costs["runner"]))
    total = Cost([], sum(cost.memory_mb for cost in costs.values()), sum(cost.cpu_percent for cost in costs.values()))
    table.add_row("[bold]sum[/]", "", "", "", "", *_cost(total))
    Console().print(table)


def _cost(cost: Cost) -> tuple[str, str]:
    return (f"{cost.memory_mb:.0f}", f"{cost.cpu_percent:.1f}") if cost.memory_mb else ("", "")
