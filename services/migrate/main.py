"""Brings the database server up to date: roles, databases, extensions, a schema a service, migrations."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import psycopg
from pydantic import Field

from services.chassis import logs
from services.chassis.roles import ROLES, SCHEMAS
from services.chassis.settings import Settings
from services.migrate import server
from services.migrate.schemas import upgrade

log = logging.getLogger(__name__)

LOCK = 7_015_281_001
"""Any number, but always the same one: whoever holds it is the one who migrates."""


class MigrateSettings(Settings):
    """Whose server, and which passwords."""

    database_url: str = Field(description="The server, as superuser, without the password.")
    keys: Path = Field(Path("/run/keys"), description="Folder with the password `superuser` and one file a role.")


def run(arguments: Sequence[str]) -> int:
    """Migrate the server that the settings name."""
    settings = MigrateSettings()
    logs.configure("migrate", settings.log_format, settings.log_level)
    superuser = psycopg.conninfo.make_conninfo(settings.database_url, password=_key(settings.keys, "superuser"))
    migrate(superuser, {role: _key(settings.keys, role) for role in ROLES})
    return 0


def migrate(superuser: str, passwords: Mapping[str, str]) -> None:
    """Make everything that is missing. Safe to run again, and by several at once: the others wait."""
    with psycopg.connect(superuser, autocommit=True, connect_timeout=10) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", (LOCK,))
        for role in ROLES:
            server.ensure_role(connection, role, passwords[role])
        server.ensure_database(connection, "platform", users=SCHEMAS)
        server.ensure_database(connection, "mlflow", owner="mlflow")
        platform = psycopg.conninfo.make_conninfo(superuser, dbname="platform")
        with psycopg.connect(platform, autocommit=True) as inside:
            server.ensure_extensions(inside)
            for schema in SCHEMAS:
                server.ensure_schema(inside, schema)
        for schema in SCHEMAS:
            revision = upgrade(platform, schema)
            log.info("%s is at %s", schema, revision, extra={"action": "schema.migrated", "schema": schema})


def _key(folder: Path, name: str) -> str:
    return (folder / name).read_text().strip()
