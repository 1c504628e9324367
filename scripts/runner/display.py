"""The progress of `up`: a table on a terminal, one line per change elsewhere."""

import contextlib
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.table import Table

from scripts.runner.board import UP, Record, State

COLOURS = {"healthy": "green", "done": "green", "failed": "red", "unhealthy": "red", "restarting": "yellow"}
LONG, EVERY = 5.0, 2.0  # seconds after which the log of what is not there yet is worth a look, and how often


def last_line(path: Path) -> str:
    """The end of a log, without reading all of it."""
    try:
        with path.open("rb") as log:
            log.seek(max(0, path.stat().st_size - 4096))
            lines = log.read().decode(errors="replace").replace("\r", "\n").strip().splitlines()
    except OSError:
        return ""
    return lines[-1] if lines else ""


def tail(path: Path, count: int = 20) -> list[str]:
    try:
        return path.read_text(errors="replace").splitlines()[-count:]
    except OSError:
        return []


class Lines:
    """For logs and pipes: says what changed."""

    def __init__(self, logs: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self.logs, self.clock = logs, clock
        self.began = clock()
        self.seen: dict[str, str] = {}
        self.told: dict[str, str] = {}
        self.told_at = self.began
        self.since: dict[str, float] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *what: object) -> None:
        return None

    def show(self, state: State) -> None:
        quiet = ("waiting",) if self.seen else ("waiting", *UP)  # what was there before is no news
        for record in state.units:
            if self.seen.get(record.name) != record.state:
                self.since[record.name] = self.clock()
                if record.state not in quiet:
                    self._say(f"{record.state:<10} {record.name}")
            self.seen[record.name] = record.state
        self._show_work([record for record in state.units if record.state in ("starting", "running")])

    def _show_work(self, records: list[Record]) -> None:
        if self.clock() - self.told_at < EVERY:
            return
        self.told_at = self.clock()
        for record in records:
            line = last_line(self.logs / record.log)
            long = self.clock() - self.since[record.name] >= LONG
            if long and line and self.told.get(record.name) != line:
                self.told[record.name] = line
                self._say(f"{record.name}: {line[:160]}")

    def _say(self, text: str) -> None:
        print(f"{self.clock() - self.began:6.1f} s  {text}", flush=True)


class Screen:
    """For people: all units, with what they wait for or are doing."""

    def __init__(self, logs: Path) -> None:
        self.logs = logs
        self.live = Live(console=Console(), refresh_per_second=5, transient=True)
        self.began = time.monotonic()

    def __enter__(self) -> Self:
        self.live.start()
        return self

    def __exit__(self, *what: object) -> None:
        with contextlib.suppress(OSError):
            self.live.stop()

    def show(self, state: State) -> None:
        table = Table(box=None, title=f"{time.monotonic() - self.began:.0f} s", title_justify="left")
        for column in ("service", "state", ""):
            table.add_column(column, no_wrap=True, overflow="ellipsis")
        for record in state.units:
            colour = COLOURS.get(record.state, "cyan")
            table.add_row(record.name, f"[{colour}]{record.state}[/]", self._doing(record))
        self.live.update(table)

    def _doing(self, record: Record) -> str:
        if record.state == "waiting":
            return f"for {', '.join(record.waiting_for)}" if record.waiting_for else ""
        if record.state in ("starting", "running", "restarting", "unhealthy"):
            return last_line(self.logs / record.log).replace("[", "\\[")
        return ""


def display(logs: Path) -> Lines | Screen:
    return Screen(logs) if sys.stdout.isatty() else Lines(logs)
