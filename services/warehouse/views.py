"""What may be asked about: a view for each table, over the files that are listed and no others."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from services.chassis.database import Database
from services.warehouse.duck import Duck, Parameters, Rows, Statement
from services.warehouse.shelf import Shelf, literal, quoted
from services.warehouse.tables import BY_NAME, Columns, utc


@dataclass(frozen=True)
class Question:
    """SQL over some tables. The parameters `since` and `until` bound the time of the events."""

    tables: Sequence[str]
    sql: str


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
        bounded = question.sql.replace("$until", f"TIMESTAMP {literal(utc(until))}")
        views = await self._views(question.tables, until)
        path.parent.mkdir(parents=True, exist_ok=True)
        copied: Statement = (f"COPY ({bounded}) TO {literal(path)} (FORMAT parquet, COMPRESSION zstd)", [])
        count: Statement = ("SELECT count(*) AS n FROM read_parquet($1)", [[str(path)]])
        return int((await self._duck.ask(*views, copied, count))[0]["n"])

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
