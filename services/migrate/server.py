"""Roles, databases, extensions and schemas: each is made when it is missing and set right when it is there."""

from collections.abc import Sequence
from typing import Any

from psycopg import Connection
from psycopg.sql import SQL, Identifier, Literal

EXTENSIONS = ("vector", "pg_trgm")
Superuser = Connection[tuple[Any, ...]]


def ensure_role(connection: Superuser, role: str, password: str) -> None:
    """A role that may log in with that password, and with no other. Only its hash is sent, so no log has it."""
    if not _exists(connection, "SELECT FROM pg_roles WHERE rolname = %s", role):
        connection.execute(SQL("CREATE ROLE {}").format(Identifier(role)))
    verifier = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    name = Identifier(role)
    connection.execute(SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(name, Literal(verifier)))
    connection.execute(SQL("ALTER ROLE {} SET search_path = {}, public").format(name, name))


def ensure_database(connection: Superuser, name: str, *, owner: str | None = None, users: Sequence[str] = ()) -> None:
    """A database that only its owner or its users may connect to."""
    database = Identifier(name)
    if not _exists(connection, "SELECT FROM pg_database WHERE datname = %s", name):
        connection.execute(SQL("CREATE DATABASE {}").format(database))
    if owner:
        connection.execute(SQL("ALTER DATABASE {} OWNER TO {}").format(database, Identifier(owner)))
    connection.execute(SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
    for user in users:
        connection.execute(SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, Identifier(user)))


def ensure_extensions(connection: Superuser) -> None:
    """What every schema may use; it lies in `public`, where nobody else may make anything."""
    connection.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    for extension in EXTENSIONS:
        connection.execute(SQL("CREATE EXTENSION IF NOT EXISTS {} SCHEMA public").format(Identifier(extension)))


def ensure_schema(connection: Superuser, role: str) -> None:
    """The schema of one role, which no other role can look into."""
    connection.execute(
        SQL("CREATE SCHEMA IF NOT EXISTS {} AUTHORIZATION {}").format(Identifier(role), Identifier(role))
    )


def _exists(connection: Superuser, question: str, name: str) -> bool:
    return connection.execute(question.encode(), (name,)).fetchone() is not None
