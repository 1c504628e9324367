"""A platform of toys: its folder, its commands, its events."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.runner.ports import is_free
from scripts.runner.site import ROOT
from services.chassis.ports import PORTS

RANGE = range(8380, 8400)  # toys live where the platform has no ports


def free_port() -> int:
    """A PORT at which none of the toys' ports is taken."""
    bases = range(40080, 60000, 50)
    return next(base for base in bases if all(is_free(port - PORTS["gateway"] + base) for port in RANGE))


@dataclass
class Toys:
    """One toy platform."""

    folder: Path
    port: int

    @property
    def state_dir(self) -> Path:
        return self.folder / "state"

    @property
    def offset(self) -> int:
        return self.port - PORTS["gateway"]

    def write(self, services: str) -> None:
        head = "x-toy: &toy\n  build: .\n  entrypoint: [python, tests/runner/toy.py]\n  restart: unless-stopped\n"
        times = "interval: 200ms, timeout: 3s, retries: 2, start_period: 10s, start_interval: 100ms"
        checked = f"  healthcheck: &check {{ {times} }}\n"
        (self.folder / "compose.yaml").write_text(f"{head}{checked}services:\n{services}")

    def run(self, command: str, *arguments: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self._words(command, arguments),
            cwd=ROOT,
            env=self._environment(),
            text=True,
            capture_output=True,
            timeout=timeout,
            check=False,
        )

    def start(self, command: str, *arguments: str) -> subprocess.Popen[str]:
        """Not waited for."""
        words = self._words(command, arguments)
        return subprocess.Popen(words, cwd=ROOT, env=self._environment(), text=True, stdout=subprocess.PIPE)

    def _words(self, command: str, arguments: tuple[str, ...]) -> list[str]:
        file = ("--file", str(self.folder / "compose.yaml")) if command == "up" else ()
        return [sys.executable, "-m", "scripts.runner", command, *file, *arguments]

    def _environment(self) -> dict[str, str]:
        told = {"STATE_DIR": str(self.state_dir), "PORT": str(self.port), "TOYS": str(self.folder)}
        return {**os.environ, **told}

    def state(self) -> dict[str, Any]:
        return dict(json.loads((self.state_dir / "state.json").read_text()))

    def unit(self, name: str) -> dict[str, Any]:
        return next(unit for unit in self.state()["units"] if unit["name"] == name)

    def events(self) -> list[str]:
        file = self.folder / "events"
        return file.read_text().splitlines() if file.is_file() else []


def eventually(holds: Callable[[], bool], what: str, seconds: float = 15) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"it never came true that {what}"
        time.sleep(0.02)
