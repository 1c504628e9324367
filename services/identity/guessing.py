"""Slows down whoever guesses one name's password: after some failures each further one doubles the wait.

Kept in the database, so that it holds for all replicas and survives a restart. It holds for names that
nobody has, too: the answer does not tell which names exist.
"""

from services.chassis.database import Database
from services.chassis.errors import Problem
from services.identity.names import key_of

FREE = 10
LONGEST_WAIT = 60
FORGOTTEN_AFTER = "1 hour"


class TooManyFailures(Problem):
    """Too many failed sign-ins with this name; wait a little."""

    status = 429

    def __init__(self, seconds: int) -> None:
        super().__init__(f"Try again in {seconds} s.", headers={"Retry-After": str(seconds)})


class FailedSignIns:
    """Failures in a row, by name."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def check(self, name: str) -> None:
        """Raises TooManyFailures while the name has to wait."""
        async with self._database.connection() as connection:
            found = await connection.execute(
                """
                SELECT ceil(least(2 ^ least(failures - %s, 30), %s) - extract(epoch FROM now() - last_at))::int
                    AS seconds
                FROM failed_sign_ins WHERE key = %s AND failures >= %s
                """,
                (FREE, LONGEST_WAIT, key_of(name), FREE),
            )
            row = await found.fetchone()
        if row and row["seconds"] > 0:
            raise TooManyFailures(row["seconds"])

    async def add(self, name: str) -> None:
        """One more."""
        async with self._database.connection() as connection:
            await connection.execute(
                """
                INSERT INTO failed_sign_ins AS known (key, failures, last_at) VALUES (%s, 1, now())
                ON CONFLICT (key) DO UPDATE SET failures = known.failures + 1, last_at = now()
                """,
                (key_of(name),),
            )

    async def forgive(self, name: str) -> None:
        """The right password came."""
        async with self._database.connection() as connection:
            await connection.execute("DELETE FROM failed_sign_ins WHERE key = %s", (key_of(name),))

    async def forget_old(self) -> None:
        """Drop what nobody has added to for long."""
        async with self._database.connection() as connection:
            await connection.execute(
                "DELETE FROM failed_sign_ins WHERE last_at < now() - %s::interval", (FORGOTTEN_AFTER,)
            )
