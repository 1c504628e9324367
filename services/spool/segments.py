"""Segments on disk: whose they are, what state they are in, which of their lines are whole.

A segment is a file of lines, `<id>.open` while its owner appends, `<id>.sealed` when it is complete,
`sent/<id>.sent` when the broker has it (apart: they are many, and rarely looked at). Its owner keeps
it locked: a lock that can be had means that the owner is dead, however it died, and the segment is
anybody's.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson

from services.chassis.ids import new_id

OPEN, SEALED, SENT = ".open", ".sealed", ".sent"
SENT_FOLDER = "sent"


def segments(folder: Path, state: str) -> list[Path]:
    """The segments in a state, oldest first: their ids are in the order of time."""
    return sorted((folder / SENT_FOLDER if state == SENT else folder).glob(f"*{state}"))


def create(folder: Path) -> tuple[Path, int]:
    """A new segment and its open file, locked."""
    while True:
        path = folder / f"{new_id()}{OPEN}"
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        if _locked(file) and _is(path, file):
            return path, file
        # Somebody took it for a dead one's in the moment before it was locked.
        os.close(file)


@contextmanager
def held(path: Path) -> Iterator[int | None]:
    """The open file of a segment that nobody else has, locked for the length of the block; or None."""
    try:
        file = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        yield None
        return
    try:
        yield file if _locked(file) and _is(path, file) else None
    finally:
        os.close(file)


def moved(path: Path, state: str) -> Path:
    """The segment goes on to its next state."""
    place = located(path, state)
    place.parent.mkdir(exist_ok=True)
    return path.rename(place)


def located(path: Path, state: str) -> Path:
    """Where an unsent segment will be in another state."""
    return (path.parent / SENT_FOLDER if state == SENT else path.parent) / f"{path.stem}{state}"


def adopted(path: Path) -> bool:
    """Seal what a dead owner left open, without the record it was writing. False when the owner lives."""
    with held(path) as file:
        if file is None:
            return False
        data = path.read_bytes()
        os.ftruncate(file, data.rfind(b"\n") + 1)
        if b"\n" in data:
            moved(path, SEALED)
        else:
            path.unlink()
        return True


def whole(data: bytes) -> list[bytes]:
    """The lines that are records: not a torn last one, and not what a power failure left of others."""
    lines = data[: data.rfind(b"\n") + 1].splitlines()
    return lines if b"\0" not in data else [line for line in lines if _is_json(line)]


def _is_json(line: bytes) -> bool:
    try:
        return isinstance(orjson.loads(line), dict)
    except orjson.JSONDecodeError:
        return False


def _locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is(path: Path, file: int) -> bool:
    """Whether the file still has that name: it may have been sealed, sent or removed meanwhile."""
    try:
        return path.stat().st_ino == os.fstat(file).st_ino
    except FileNotFoundError:
        return False
