"""Who has an account, in PostgreSQL."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

from psycopg.rows import class_row

from services.chassis.database import Database
from services.chassis.errors import Conflict, Fault
from services.chassis.ids import new_id
from services.identity.names import key_of

Role = Literal["user", "moderator", "operator"]
COLUMNS: Final = "id, name, roles, password_hash, simulated"


@dataclass(frozen=True)
class User:
    """An account."""

    id: UUID
    name: str
    roles: list[str]
    password_hash: str
    simulated: bool = False
    """A program that plays a user."""


class NameTaken(Conflict):
    """Somebody has that name already."""

    def __init__(self) -> None:
        super().__init__("", Fault(where="body.name", what="is taken"))


class Users:
    """The accounts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def named(self, name: str) -> User | None:
        """The account of that name."""
        return await self._one(f"SELECT {COLUMNS} FROM users WHERE key = %s", key_of(name))  # noqa: S608

    async def with_id(self, user_id: UUID) -> User | None:
        """The account of that id."""
        return await self._one(f"SELECT {COLUMNS} FROM users WHERE id = %s", user_id)  # noqa: S608

    async def add(self, name: str, password_hash: str, roles: Iterable[str], *, simulated: bool = False) -> User:
        """A new account; raises NameTaken."""
        user = await self._one(
            f"""
            INSERT INTO users (id, name, key, password_hash, roles, simulated) VALUES (%s, %s, %s, %s, %s, %s)
            ON CONFLICT (key) DO NOTHING RETURNING {COLUMNS}
            """,  # noqa: S608
            new_id(), name, key_of(name), password_hash, list(roles), simulated,
        )  # fmt: skip
        if user is None:
            raise NameTaken
        return user

    async def set_password(self, user_id: UUID, password_hash: str) -> None:
        """Replace the hash."""
        async with self._database.connection() as connection:
            await connection.execute("UPDATE users SET password_hash = %s WHERE id = %s", (password_hash, user_id))

    async def set_roles(self, user_id: UUID, roles: Iterable[str]) -> User | None:
        """Replace the roles; None when there is no such account."""
        return await self._one(
            f"UPDATE users SET roles = %s WHERE id = %s RETURNING {COLUMNS}",  # noqa: S608
            list(roles),
            user_id,
        )

    async def _one(self, query: str, *values: object) -> User | None:
        async with self._database.connection() as connection, connection.cursor(row_factory=class_row(User)) as cursor:
            await cursor.execute(query.encode(), values)
            return await cursor.fetchone()
