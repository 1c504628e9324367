"""The process that has DuckDB in it: does what its standard input says, one line of JSON a task, and answers in kind.

It is apart so that the service is small while nothing happens, and outlives whatever happens here.
"""

import contextlib
import os
import sys
from typing import Any

import duckdb
import orjson

NICENESS = 5


def main(memory: str, scratch: str) -> None:
    """Work until nobody writes any more."""
    os.nice(NICENESS)
    connection = connected(memory, scratch)
    for line in sys.stdin.buffer:
        sys.stdout.buffer.write(orjson.dumps(answer(connection, orjson.loads(line)), default=str) + b"\n")
        sys.stdout.buffer.flush()


def connected(memory: str, scratch: str) -> duckdb.DuckDBPyConnection:
    """A database in memory that reads and writes files, asks nobody outside for more, and keeps to its limits."""
    return duckdb.connect(
        ":memory:",
        config={
            "threads": 1,
            "memory_limit": memory,
            "temp_directory": scratch,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "preserve_insertion_order": True,
        },
    )


def answer(connection: duckdb.DuckDBPyConnection, task: list[list[Any]]) -> dict[str, Any]:
    """The rows of the last statement, or what went wrong with which one."""
    rows: list[dict[str, Any]] = []
    for number, (statement, parameters) in enumerate(task):
        try:
            found = connection.execute(statement, parameters)
            names = [column[0] for column in found.description or ()]
            rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
        except duckdb.Error as error:
            passes = isinstance(error, duckdb.IOException)  # a full disk
            return {"number": number, "passes": passes, "error": f"{type(error).__name__}: {error}"}
    return {"rows": rows}


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        main(*sys.argv[1:])
