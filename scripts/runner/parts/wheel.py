"""Where a wheel's files lie, found without importing the package: some do much at import."""

import importlib.util
import os
from pathlib import Path


class WheelMissing(Exception):
    """A part's wheel is not installed: scripts/setup does it."""


def folder(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise WheelMissing(package)
    return Path(spec.origin).parent


def program(package: str, *place: str) -> str:
    """A program of the wheel; not every installer keeps the bit that makes it executable."""
    path = folder(package).joinpath(*place)
    if not os.access(path, os.X_OK):
        path.chmod(0o755)
    return str(path)
