"""What may be asked about: a view for each table, over the files that are listed and no others."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from services.chassis.database import Database
from services.warehouse.duck import Duck, Parameters, Rows, Statement
from services.warehouse.shelf import Shelf, literal, quoted
from services.warehouse.tables import BY_NAME, Columns, utc

SLICE_ROWS = 2000
_ENDS = """
SELECT moment AS "end" FROM (
    SELECT {by} AS moment, row_number() OVER (ORDER BY {by}) AS number FROM {table} WHERE event_time < $until
) WHERE number % {rows} = 0 GROUP BY moment ORDER BY moment
"""


@dataclass(frozen=True)
class Question:
    """SQL over some tables. The parameters `since` and `until` bound the time of the events.

    With `sliced_by`, a time of the first table that the answer is ordered by, a file is written in slices of it, for
    which the SQL says `$from` and `$to`: what takes memory is a slice, however long the log.
    """

    tables: Sequence[str]
    sql: str
    sliced_by: str | None = None


class Views:
    """Asks the listed files."""

    def __init__(self, database: Database, duck: Duck, shelf: Shelf) -> None:
        self._database, self._duck, self._shelf = database, duck, shelf

    async def ask(self, question: Question, since: datetime, until: datetime) -> Rows:
        """The answer's rows."""
        views = await self._views(question.tables, until)
        return await self._duck.ask(*views, (question.sql, times(question.sql, since, until)))

    async def write(self, question: Question, until: datetime, path: Path) -> int:
        """The answer as a Parquet file; returns how many rows it has."""
        views = await self._views(question.tables, until)
        bounded = _bounded(question.sql, until=utc(until))
        path.parent.mkdir(parents=True, exist_ok=True)
        if question.sliced_by is None:
            await self._duck.ask(*views, _copied(bounded, path))
        else:
            ends = _ENDS.format(table=question.tables[0], by=quoted(question.sliced_by), rows=SLICE_ROWS)
            found = await self._duck.ask(*views, (_bounded(ends, until=utc(until)), []))
            await self._write_in_slices(views, bounded, [str(row["end"]) for row in found], path)
        counted = await self._duck.ask(("SELECT count(*) AS n FROM read_parquet($1)", [[str(path)]]))
        return int(counted[0]["n"])

    async def _write_in_slices(self, views: Sequence[Statement], sql: str, ends: Sequence[str], path: Path) -> None:
        """Each slice is sorted, and they follow one another."""
        bounds = list(pairwise(["-infinity", *ends, "infinity"]))
        slices = [path.with_suffix(f"{path.suffix}.{number}") for number in range(len(bounds))]
        try:
            for (start, end), one in zip(bounds, slices, strict=True):
                await self._duck.ask(*views, _copied(_bounded(sql, **{"from": start, "to": end}), one))
            listed = ", ".join(map(literal, slices))
            await self._duck.ask(_copied(f"SELECT * FROM read_parquet([{listed}])", path))  # noqa: S608
        finally:
            for one in slices:
                one.unlink(missing_ok=True)

    async def _views(self, tables: Iterable[str], until: datetime) -> list[Statement]:
        async with self._database.connection() as connection:
            found = await connection.execute(
                """
                SELECT kind, path FROM files WHERE replaced_at IS NULL AND kind = ANY(%s) AND first_time < %s
                ORDER BY id
                """,
                (list(tables), until),
            )
            rows = await found.fetchall()
        paths = {name: [self._shelf.place(row["path"]) for row in rows if row["kind"] == name] for name in tables}
        return [(view(name, files, BY_NAME[name].columns), []) for name, files in paths.items()]


def _bounded(sql: str, **moments: str) -> str:
    """With moments in it: COPY takes no parameters."""
    for name, moment in moments.items():
        sql = sql.replace(f"${name}", f"TIMESTAMP {literal(moment)}")
    return sql


def _copied(sql: str, path: Path) -> Statement:
    return f"COPY ({sql}) TO {literal(path)} (FORMAT parquet, COMPRESSION zstd)", []


def view(name: str, files: Sequence[Path], columns: Columns) -> str:
    """All columns of the contract, also where files are older than one of them, and where there is no file yet."""
    nothing = ", ".join(f"NULL::{kind} AS {quoted(column)}" for column, kind in columns.items())
    sql = f"CREATE OR REPLACE TEMP VIEW {name} AS SELECT {nothing} WHERE false"
    if not files:
        return sql
    listed = ", ".join(literal(file) for file in files)
    return f"{sql} UNION ALL BY NAME SELECT * FROM read_parquet([{listed}], union_by_name = true)"  # noqa: S608


def times(sql: str, since: datetime, until: datetime) -> Parameters:
    """Those bounds that the statement names."""
    bounds = {"since": utc(since), "until": utc(until)}
    return {name: value for name, value in bounds.items() if f"${name}" in sql}
