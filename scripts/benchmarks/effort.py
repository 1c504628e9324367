"""What each service of a local platform costs in CPU: a figure that does not depend on what else the machine does."""

import os
from collections import defaultdict
from pathlib import Path

from scripts.runner import board

TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(state: Path) -> dict[str, float]:
    """CPU seconds by service so far, descendants included; of processes that live."""
    known = board.read(state)
    own, children = _processes()
    spent: dict[str, float] = defaultdict(float)
    for unit in known.units if known else []:
        waiting = [unit.pid] if unit.pid else []
        while waiting:
            pid = waiting.pop()
            spent[unit.service] += own.get(pid, 0.0)
            waiting += children.get(pid, [])
    return dict(spent)


def _processes() -> tuple[dict[int, float], dict[int, list[int]]]:
    own: dict[int, float] = {}
    children: dict[int, list[int]] = defaultdict(list)
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        pid = int(path.parent.name)
        own[pid] = (int(fields[11]) + int(fields[12])) / TICKS
        children[int(fields[1])].append(pid)
    return own, children
