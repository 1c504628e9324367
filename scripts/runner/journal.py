"""What the supervisor itself has to say: STATE_DIR/logs/runner.log."""

from datetime import datetime
from pathlib import Path

KEEP = 3
NAME = "runner.log"


class Journal:
    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME

    def say(self, text: str) -> None:
        with self.path.open("a") as log:
            log.write(f"{datetime.now():%H:%M:%S} {text}\n")


def rotate(path: Path) -> None:
    """NAME.log becomes NAME.log.1, and so on; the oldest goes."""
    if not path.is_file():
        return
    for number in range(KEEP - 1, 0, -1):
        older = path.with_name(f"{path.name}.{number}")
        if older.is_file():
            older.replace(path.with_name(f"{path.name}.{number + 1}"))
    path.replace(path.with_name(f"{path.name}.1"))


def cut(path: Path, limit: int) -> None:
    """A log that has grown too long while its process has it open: keep the tail aside and begin anew."""
    if path.is_file() and path.stat().st_size > limit:
        content = path.read_bytes()[-limit:]
        path.with_name(f"{path.name}.1").write_bytes(content)
        with path.open("r+b") as log:
            log.truncate(0)
