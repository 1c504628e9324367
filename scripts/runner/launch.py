"""How a unit becomes a process: what is executed, as whom, and how its health is seen."""

import signal
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

Check = Callable[[], Awaitable[str | None]]  # None when healthy, else what is wrong


@dataclass(frozen=True)
class Launch:
    """A process that is ready to be started."""

    command: tuple[str, ...]
    environment: Mapping[str, str]
    folder: Path
    check: Check | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGKILL  # what it gets when the runner is killed
    owner: tuple[int, int] | None = field(default=None)  # uid and gid, when not the runner's own
