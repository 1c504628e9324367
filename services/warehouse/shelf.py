"""The folder of files: what is being written apart from what is finished, and a name that is never used twice.

    unfinished/ID.jsonl, unfinished/ID.parquet    nobody reads these
    tables/TABLE/ID.parquet                       read as soon as PostgreSQL lists them

A file appears under its final name whole or not at all; whether it counts is said by the list alone.
"""

import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from services.chassis.ids import new_id
from services.warehouse.tables import Columns


@dataclass(frozen=True)
class Written:
    """A file under its final name, with what the list is to say of it."""

    id: UUID
    kind: str
    path: str
    """Below the folder."""
    rows: int
    bytes: int


@dataclass(frozen=True)
class Shelf:
    """One folder, and nobody else's."""

    folder: Path

    @property
    def unfinished(self) -> Path:
        """Where files lie that are being written."""
        return self.folder / "unfinished"

    def begun(self, kind: str) -> "Begun":
        """A place for a new file."""
        self.unfinished.mkdir(parents=True, exist_ok=True)
        (self.folder / "tables" / kind).mkdir(parents=True, exist_ok=True)
        return Begun(self, new_id(), kind)

    def place(self, path: str) -> Path:
        """A listed file."""
        return self.folder / path

    def removed(self, paths: Iterable[str]) -> None:
        """Remove finished files; those that are gone already are no reason to stop."""
        for path in paths:
            self.place(path).unlink(missing_ok=True)

    def finished(self, older_than_seconds: float) -> Iterator[str]:
        """Every file under a final name that has not changed for so long."""
        for path in (self.folder / "tables").glob("*/*.parquet"):
            if _age(path) >= older_than_seconds:
                yield str(path.relative_to(self.folder))

    def left_behind(self, older_than_seconds: float) -> Iterator[Path]:
        """What somebody began and did not finish."""
        return (path for path in self.unfinished.glob("*.*") if _age(path) >= older_than_seconds)


@dataclass(frozen=True)
class Begun:
    """A file that is being written."""

    shelf: Shelf
    id: UUID
    kind: str

    @property
    def lines(self) -> Path:
        """Its rows, a line of JSON each."""
        return self.shelf.unfinished / f"{self.id}.jsonl"

    @property
    def parquet(self) -> Path:
        """The file, not whole yet."""
        return self.shelf.unfinished / f"{self.id}.parquet"

    def write(self, lines: Iterable[bytes]) -> None:
        """Put the rows down for DuckDB to read."""
        with self.lines.open("wb") as file:
            file.writelines(lines)

    def finish(self, rows: int) -> Written:
        """The whole file takes its final name, and is on the disk when it does."""
        path = f"tables/{self.kind}/{self.id}.parquet"
        _on_disk(self.parquet)
        size = self.parquet.stat().st_size
        self.parquet.rename(self.shelf.place(path))
        _on_disk(self.shelf.place(path).parent)
        self.lines.unlink(missing_ok=True)
        return Written(self.id, self.kind, path, rows, size)

    def given_up(self) -> None:
        """Nobody will finish it."""
        self.lines.unlink(missing_ok=True)
        self.parquet.unlink(missing_ok=True)


def from_lines(begun: Begun, columns: Columns) -> tuple[str, list[object]]:
    """The statement that makes the file of its lines."""
    types = ", ".join(f"{quoted(name)}: '{kind}'" for name, kind in columns.items())
    source = f"read_json($1, format = 'newline_delimited', columns = {{{types}}}, maximum_object_size = {LONGEST_LINE})"
    return f"COPY (SELECT * FROM {source}) TO {literal(begun.parquet)} ({PARQUET})", [str(begun.lines)]  # noqa: S608


PARQUET = "FORMAT parquet, COMPRESSION zstd"
LONGEST_LINE = 16 * 1024 * 1024


def quoted(name: str) -> str:
    """A name of ours, as SQL takes it whatever words it keeps for itself."""
    return f'"{name}"'


def literal(text: object) -> str:
    """A text as SQL takes it, where no parameter is allowed."""
    return "'" + str(text).replace("'", "''") + "'"


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _on_disk(path: Path) -> None:
    """Wait until the disk has it: the list, which PostgreSQL keeps, must not outlive the file."""
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
