"""PostgreSQL: one pool a process, plain SQL, rows as dictionaries."""

import select
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool

from services.chassis.settings import Settings

Connection = AsyncConnection[DictRow]
Database = AsyncConnectionPool[Connection]


def database(settings: Settings) -> Database:
    """A pool that is not open yet. A connection is looked at when it is taken: a restarted server goes unnoticed."""
    keywords: dict[str, Any] = {
        "row_factory": dict_row,
        "autocommit": True,
        "connect_timeout": 3,
        "application_name": "platform",
    }
    password = settings.password()
    return AsyncConnectionPool(
        settings.database_url or "",
        kwargs=keywords | ({"password": password} if password else {}),
        connection_class=AsyncConnection[DictRow],
        min_size=1,
        max_size=settings.database_pool_size,
        timeout=5,
        reconnect_timeout=0,
        open=False,
        configure=_vectors if settings.database_vectors else None,
        check=_still_there,
    )


async def _still_there(connection: Connection) -> None:
    """Ask the server only if it has said something unasked, as one does that goes: asking each time is a round trip."""
    unasked = select.poll()
    unasked.register(connection.fileno(), select.POLLIN)
    if unasked.poll(0):
        await AsyncConnectionPool.check_connection(connection)


async def _vectors(connection: Connection) -> None:
    # Imported where it is needed: it brings numpy, which most services do without.
    from pgvector.psycopg import register_vector_async

    await register_vector_async(connection)
