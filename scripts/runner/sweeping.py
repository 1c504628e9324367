"""Remove what a killed supervisor left behind, and nothing else."""

from pathlib import Path

import psutil

from scripts.runner import processes
from scripts.runner.board import Board, Record, State, read


def sweep(state: Path) -> list[str]:
    """Kill the processes of this state folder; the names of those that were there."""
    told = read(state) or State()
    victims = {process.pid: process for process in processes.marked(state)}
    for record in told.units:
        victims.update({process.pid: process for process in _left_by(record, state)})
    names = [_name(process) for process in victims.values()]
    processes.kill(victims.values())
    psutil.wait_procs(list(victims.values()), timeout=10)
    _note_the_end(state, told)
    return names


def _left_by(record: Record, state: Path) -> list[psutil.Process]:
    """A pid is used again: only the process that was started then is ours, and of a group without its leader
    only who carries our mark."""
    if record.pid is None:
        return []
    if processes.is_same(record.pid, record.started):
        return processes.family(record.pid, record.started)
    return [process for process in processes.group(record.pid) if processes.is_marked(process, state)]


def _name(process: psutil.Process) -> str:
    try:
        return f"{process.name()} ({process.pid})"
    except psutil.Error:
        return str(process.pid)


def _note_the_end(state: Path, told: State) -> None:
    if not told.units:
        return
    told.supervisor = None
    for record in told.units:
        if record.state != "done":
            record.state, record.pid = "stopped", None
    Board(state, told).write()
