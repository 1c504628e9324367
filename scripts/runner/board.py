"""The state of a local platform: kept by the supervisor, written to STATE_DIR/state.json, read by the commands."""

import asyncio
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

# A unit is waiting (for what it depends on), starting, running (a one-shot at work), healthy (also what runs and
# has no check), unhealthy, restarting, done (a one-shot that ended well), failed, stopping or stopped.
UP = ("healthy", "done")
RUNNING = ("starting", "running", "healthy", "unhealthy", "stopping")


@dataclass
class Record:
    """What is known of one unit."""

    name: str
    service: str
    log: str
    ports: dict[str, int]
    once: bool
    state: str = "waiting"
    waiting_for: list[str] = field(default_factory=list)
    pid: int | None = None
    started: str | None = None
    restarts: int = 0
    been_healthy: bool = False
    exit_code: int | None = None
    problem: str | None = None
    since: str = ""


@dataclass
class State:
    """What state.json holds."""

    supervisor: int | None = None
    started: str | None = None
    port: int = 0
    profiles: list[str] = field(default_factory=list)
    without: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    units: list[Record] = field(default_factory=list)


def path(state: Path) -> Path:
    return state / "state.json"


def read(state: Path) -> State | None:
    """None when nothing was ever started there; it is replaced in one move, and so never torn."""
    try:
        data: dict[str, Any] = json.loads(path(state).read_bytes())
    except FileNotFoundError:
        return None
    return State(**{**data, "units": [Record(**unit) for unit in data["units"]]})


class Board:
    """The supervisor's own copy: who changes it wakes who waits for something on it."""

    def __init__(self, folder: Path, state: State) -> None:
        self.folder, self.state = folder, state
        self.records = {record.name: record for record in state.units}
        self._pulse = asyncio.Event()

    def of(self, service: str) -> Iterable[Record]:
        return [record for record in self.records.values() if record.service == service]

    def set(self, record: Record, state: str, **what: Any) -> None:
        for name, value in {"state": state, "since": datetime.now(UTC).isoformat(), **what}.items():
            setattr(record, name, value)
        self.changed()

    def changed(self) -> None:
        self.write()
        pulse, self._pulse = self._pulse, asyncio.Event()
        pulse.set()

    def write(self) -> None:
        new = path(self.folder).with_suffix(".new")
        new.write_text(json.dumps(asdict(self.state), indent=1))
        new.replace(path(self.folder))

    async def until(self, holds: Callable[[], bool]) -> None:
        while not holds():
            await self._pulse.wait()
