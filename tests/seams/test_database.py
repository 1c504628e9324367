"""The pool of connections on a real server: whoever takes one gets one that works."""

import pytest
from psycopg_pool import AsyncConnectionPool

from services.chassis.database import Connection
from tests.conftest import MakeDatabase


async def test_a_connection_that_the_server_has_closed_is_not_given_out(database: MakeDatabase) -> None:
    items = await database("items")
    async with items.connection() as first:
        gone = first.info.backend_pid
        async with items.connection() as second:
            await second.execute("SELECT pg_terminate_backend(%s, 5000)", (gone,))
    for _ in range(3):
        async with items.connection() as connection:
            await connection.execute("SELECT 1")
            assert connection.info.backend_pid != gone


async def test_a_connection_that_is_quiet_is_not_asked(database: MakeDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    items = await database("items")

    async def asked(connection: Connection) -> None:
        raise AssertionError("a round trip for nothing")

    monkeypatch.setattr(AsyncConnectionPool, "check_connection", asked)
    for _ in range(3):
        async with items.connection() as connection:
            await connection.execute("SELECT 1")
