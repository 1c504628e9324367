"""Files that are either whole or not there, and read-only once they are."""

import os
from collections.abc import Sequence
from pathlib import Path

READ_ONLY = 0o444
"""A consumer runs as another user and nobody may change owners: the folder is what keeps others out."""


def kept(holders: Sequence[Path]) -> str | None:
    """What the first holder that has the file says."""
    for path in holders:
        if path.is_file() and (content := path.read_text()):
            return content
    return None


def keep_in(holders: Sequence[Path], content: str) -> int:
    """Bring every holder into line; returns how many were not."""
    behind = [path for path in holders if kept([path]) != content]
    for path in behind:
        _write(path, content)
    return len(behind)


def _write(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    with partial.open("w") as file:
        os.fchmod(file.fileno(), READ_ONLY)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
