"""Looks before anything is started: is what people may set usable, and has the machine what the platform needs?

Everything else waits for this one-shot, so that a slip is told at once and by one voice.
"""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from pydantic import Field

import models
from services.chassis.settings import Settings, Unusable

MEMINFO = Path("/proc/meminfo")
SYSTEM_ITSELF = 0.93
"""Of the memory that a machine is sold with, what its kernel leaves."""


class PreflightSettings(Settings):
    """What people set for the whole platform."""

    required_models: str = Field("", description="Models that must have a champion before the platform is healthy.")
    memory_gb: float = Field(4.0, gt=0, description="Least memory of the machine; training takes most of it.")


def run(arguments: Sequence[str]) -> int:
    """0 when nothing is in the way; else says what, and what to do."""
    settings = PreflightSettings()
    problems = [*unknown_models(settings.required_models), *too_little_memory(settings.memory_gb)]
    if problems:
        raise Unusable("\n".join(problems))
    sys.stdout.write("nothing is in the way\n")
    return 0


def unknown_models(listed: str) -> Iterable[str]:
    """Names that are no model."""
    known = sorted(path.parent.name for path in Path(models.__path__[0]).glob("*/contract.py"))
    for name in filter(None, map(str.strip, listed.split(","))):
        if name not in known:
            yield f"REQUIRED_MODELS={listed}: {name} is none of {', '.join(known)}"


def too_little_memory(needed_gb: float, meminfo: Path = MEMINFO) -> Iterable[str]:
    """What the machine has, if that is not enough. Where it does not tell, it is believed to be."""
    found = total_gb(meminfo)
    if found is not None and found < needed_gb * SYSTEM_ITSELF:
        yield (
            f"this machine gives {found:.1f} GB of memory, {needed_gb:g} are needed: give it more "
            "(Docker Desktop: Settings, Resources), or set MEMORY_GB to less if its models are trained already"
        )


def total_gb(meminfo: Path) -> float | None:
    """The memory of this machine, or of the virtual machine that Docker runs in."""
    if not meminfo.is_file():
        return None
    line = next(line for line in meminfo.read_text().splitlines() if line.startswith("MemTotal:"))
    return int(line.split()[1]) * 1024 / 1e9
