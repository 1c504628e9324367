"""Alembic for one schema: its migrations run as its role, and its version table lies in it."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from psycopg import Connection, connect
from psycopg.sql import SQL, Identifier
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool


def to_head(superuser: str, schema: str, migrations: Path) -> None:
    """Run what is missing, one transaction a migration."""
    engine = create_engine("postgresql+psycopg://", creator=lambda: _as_role(superuser, schema), poolclass=NullPool)
    with engine.connect() as connection:
        config = _config(migrations / "env", migrations / schema / "versions")
        config.attributes |= {"connection": connection, "schema": schema}
        command.upgrade(config, "head")


def _config(environment: Path, versions: Path) -> Config:
    config = Config()
    config.set_main_option("path_separator", "newline")
    config.set_main_option("script_location", _escaped(environment))
    config.set_main_option("version_locations", _escaped(versions))
    return config


def _as_role(superuser: str, role: str) -> Connection:
    connection = connect(superuser, autocommit=True)
    connection.execute(SQL("SET ROLE {}").format(Identifier(role)))
    connection.execute(SQL("SET search_path = {}, public").format(Identifier(role)))
    connection.autocommit = False
    return connection


def _escaped(path: Path) -> str:
    """Alembic's configuration interpolates percent signs."""
    return str(path).replace("%", "%%")
