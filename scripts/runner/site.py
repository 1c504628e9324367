"""Where a local platform lives: the clone, its state folder, its ports."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from scripts.runner.interpolation import dotenv
from services.chassis.ports import LONGEST_PATH, PORTS, socket_path

ROOT = Path(__file__).resolve().parents[2]


class BadSetting(Exception):
    """A setting of the command is not usable; the message says which."""


@dataclass(frozen=True)
class Site:
    """One local platform; several may live side by side, each with its own STATE_DIR and PORT."""

    root: Path
    state: Path
    port: int
    environment: Mapping[str, str]

    @property
    def offset(self) -> int:
        return self.port - PORTS["gateway"]

    @property
    def address(self) -> str:
        return f"http://localhost:{self.port}"

    def volume(self, name: str) -> Path:
        return self.state / "volumes" / name

    @property
    def sockets(self) -> Path | None:
        """Where services listen beside their ports, unless that is too far down for a socket."""
        folder = self.state / "sockets"
        return folder if len(os.fsencode(socket_path(folder, 65535))) <= LONGEST_PATH else None

    def python(self, venv: str | None = None) -> str:
        return str(self.root / (f".venv-{venv}" if venv else ".venv") / "bin" / "python")


def site(root: Path = ROOT, environment: Mapping[str, str] | None = None) -> Site:
    """The platform that the environment names: STATE_DIR and PORT, from the shell or `.env`."""
    variables = {**dotenv(root / ".env"), **(os.environ if environment is None else environment)}
    state = Path(variables.get("STATE_DIR") or ".state").expanduser()
    return Site(root, (root / state).resolve(), _port(variables.get("PORT") or str(PORTS["gateway"])), variables)


def _port(text: str) -> int:
    highest = 65535 - (max(PORTS.values()) - PORTS["gateway"]) - 100
    if not text.isdigit() or not 1024 <= int(text) <= highest:
        raise BadSetting(f"PORT={text}: a number between 1024 and {highest} is needed")
    return int(text)
