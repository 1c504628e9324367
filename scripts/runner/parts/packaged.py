"""Programs that no wheel carries: Debian's packages, unpacked into the clone by scripts/setup, or what is on PATH."""

import os
import shutil
from pathlib import Path

from scripts.runner.site import ROOT

FOLDER = ROOT / ".packages"
NAMES = {
    "prometheus": ("prometheus",),
    "promtool": ("promtool",),
    "alertmanager": ("prometheus-alertmanager", "alertmanager"),
    "amtool": ("amtool",),
}
"""What they may be called: ours first, then what is on PATH."""


class ProgramMissing(Exception):
    """Not unpacked and not on PATH; scripts/setup unpacks it where apt-get is."""


def find(name: str) -> Path | None:
    """Where the program is, if anywhere."""
    ours = [FOLDER / "usr" / "bin" / called for called in NAMES[name]]
    there = [shutil.which(called) for called in NAMES[name]]
    candidates = (*(path for path in ours if os.access(path, os.X_OK)), *(Path(path) for path in there if path))
    return next(iter(candidates), None)


def program(name: str) -> str:
    """The program; what is missing has been left out before."""
    found = find(name)
    if found is None:
        raise ProgramMissing(name)
    return str(found)


def missing(name: str) -> str | None:
    """Why a part cannot run here."""
    return None if find(name) else f"{name} is neither on PATH nor offered by this system's packages"


def elsewhere(command: tuple[str, ...], address: str) -> tuple[str, ...]:
    """The options of compose.yaml; where it listens is ours to say."""
    option = "--web.listen-address="
    return (*(word for word in command if not word.startswith(option)), f"{option}{address}")


def folder() -> Path:
    """Where these programs find their pages: unpacked ones look for them below the folder they are started in."""
    return FOLDER if FOLDER.is_dir() else ROOT
