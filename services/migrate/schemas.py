"""Whether a schema is up to date, found out without Alembic: importing it takes longer than all the rest."""

import ast
from pathlib import Path
from typing import Any

from psycopg import Connection, connect
from psycopg.errors import UndefinedTable
from psycopg.sql import SQL, Identifier

MIGRATIONS = Path(__file__).parents[1] / "migrations"


class SeveralHeads(Exception):
    """A schema's migrations must end in one revision: two of them follow the same one."""


def upgrade(superuser: str, schema: str) -> str | None:
    """Bring the schema to its newest revision, and return that. A schema without migrations stays empty."""
    newest = newest_revision(MIGRATIONS / schema / "versions")
    if newest != current_revision(superuser, schema):
        from services.migrate.upgrading import to_head

        to_head(superuser, schema, MIGRATIONS)
    return newest


def newest_revision(versions: Path) -> str | None:
    """The revision that no other one follows."""
    assigned = [_assigned(path) for path in versions.glob("*.py")]
    followed = {names["down_revision"] for names in assigned}
    heads = [names["revision"] for names in assigned if names["revision"] not in followed]
    if len(heads) > 1:
        raise SeveralHeads(f"{versions}: {', '.join(sorted(heads))}")
    return heads[0] if heads else None


def current_revision(superuser: str, schema: str) -> str | None:
    """What the schema's version table says."""
    with connect(superuser, autocommit=True) as connection:
        try:
            row = _version(connection, schema)
        except UndefinedTable:
            return None
    return str(row[0]) if row else None


def _version(connection: Connection[tuple[Any, ...]], schema: str) -> tuple[Any, ...] | None:
    question = SQL("SELECT version_num FROM {}.alembic_version").format(Identifier(schema))
    return connection.execute(question).fetchone()


def _assigned(path: Path) -> dict[str, Any]:
    """The constants of a migration, without running it."""
    constants: dict[str, Any] = {}
    for line in ast.parse(path.read_text()).body:
        if isinstance(line, ast.AnnAssign) and isinstance(line.value, ast.Constant):
            constants[ast.unparse(line.target)] = line.value.value
        elif isinstance(line, ast.Assign) and isinstance(line.value, ast.Constant):
            constants |= {ast.unparse(target): line.value.value for target in line.targets}
    return constants
