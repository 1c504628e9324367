"""The accounts that are there from the start."""

import asyncio
import json
from pathlib import Path

import httpx
import psycopg
import pytest

from services.chassis.database import Database
from services.chassis.service import Service, beside
from services.identity.demo import DemoAccounts
from services.identity.passwords import Passwords
from services.identity.users import Users
from tests.services.identity.conftest import ACCOUNTS, PASSWORD, SignUp
from tests.services.identity.test_identity import rows, sign_in


@pytest.fixture
def demo(pool: Database, accounts_file: Path) -> DemoAccounts:
    return DemoAccounts(accounts_file, Users(pool), Passwords())


async def until_ready(demo: DemoAccounts) -> None:
    async with beside(demo.run) as [running]:
        async with asyncio.timeout(20):
            await demo.written.wait()
        await demo.ready()
        assert not running.done()


async def test_they_can_sign_in(demo: DemoAccounts, http: httpx.AsyncClient, pool: Database) -> None:
    await until_ready(demo)
    for account in ACCOUNTS:
        assert (await sign_in(http, str(account["name"]), str(account["password"]))).status_code == 200
    found = await rows(pool, "SELECT name, roles FROM users ORDER BY name")
    assert found == [{"name": a["name"], "roles": a["roles"]} for a in ACCOUNTS]


async def test_a_second_start_changes_nothing(demo: DemoAccounts, accounts_file: Path, pool: Database) -> None:
    await until_ready(demo)
    before = await rows(pool, "SELECT * FROM users ORDER BY id")
    await until_ready(DemoAccounts(accounts_file, Users(pool), Passwords()))
    assert await rows(pool, "SELECT * FROM users ORDER BY id") == before


async def test_the_file_wins_over_who_took_the_name(
    demo: DemoAccounts, http: httpx.AsyncClient, pool: Database, sign_up: SignUp
) -> None:
    user = await sign_up("Tama")
    await until_ready(demo)
    assert (await sign_in(http, "tama", PASSWORD)).status_code == 400
    assert (await sign_in(http, "tama", "tama's password")).status_code == 200
    (row,) = await rows(pool, "SELECT id, roles FROM users WHERE key = 'tama'")
    assert (str(row["id"]), row["roles"]) == (user, ["user", "moderator"])


async def test_the_database_may_come_late(demo: DemoAccounts, monkeypatch: pytest.MonkeyPatch) -> None:
    real, tries = Users.named, []

    async def late(self: Users, name: str) -> object:
        tries.append(name)
        if len(tries) == 1:
            raise psycopg.OperationalError("not yet")
        return await real(self, name)

    monkeypatch.setattr(Users, "named", late)
    monkeypatch.setattr("services.identity.demo.AGAIN_SECONDS", 0)
    await until_ready(demo)
    assert len(tries) > len(ACCOUNTS)


async def test_identity_is_ready_when_they_are_there(accounts_file: Path, http: httpx.AsyncClient) -> None:
    answer = await http.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["checks"]["database"] == "ok"


async def test_without_a_file_nothing_is_waited_for(service: Service, http: httpx.AsyncClient) -> None:
    assert (await http.get("/health/ready")).status_code == 200


async def test_a_broken_file_is_an_error(accounts_file: Path, demo: DemoAccounts) -> None:
    accounts_file.write_text(json.dumps([{"name": "x", "password": "y", "roles": []}]))
    with pytest.raises(ValueError, match="name"):
        await demo.run()
