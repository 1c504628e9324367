"""The accounts a new platform begins with: written at each start, whatever the database has."""

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path

import psycopg
import psycopg_pool
from pydantic import BaseModel, TypeAdapter

from services.identity.names import Name
from services.identity.passwords import Passwords
from services.identity.users import NameTaken, Role, User, Users

log = logging.getLogger(__name__)

AGAIN_SECONDS = 0.5


class Account(BaseModel):
    """One entry of the accounts file."""

    name: Name
    password: str
    roles: list[Role]


class DemoAccounts:
    """Brings the database into line with the accounts file."""

    def __init__(self, file: Path, users: Users, passwords: Passwords) -> None:
        self._file, self._users, self._passwords = file, users, passwords
        self.written = asyncio.Event()

    async def run(self) -> None:
        """Write them as soon as the database lets us, then rest."""
        while not self.written.is_set():
            try:
                await self.write(self._read())
                self.written.set()
            except (psycopg.OperationalError, psycopg_pool.PoolTimeout) as error:
                log.warning("accounts wait: %s", error, extra={"action": "accounts.wait"})
                await asyncio.sleep(AGAIN_SECONDS)
        await asyncio.Event().wait()

    async def ready(self) -> None:
        """Raises until they are written."""
        if not self.written.is_set():
            raise NotYet

    async def write(self, accounts: Sequence[Account]) -> None:
        """Add who is missing, correct who differs."""
        for account in accounts:
            user = await self._users.named(account.name)
            await (self._correct(user, account) if user else self._add(account))
        log.info("accounts are there", extra={"action": "accounts.written", "count": len(accounts)})

    def _read(self) -> list[Account]:
        return TypeAdapter(list[Account]).validate_json(self._file.read_bytes())

    async def _add(self, account: Account) -> None:
        try:
            await self._users.add(account.name, await self._passwords.hashed(account.password), account.roles)
        except NameTaken:
            log.info("%s was just added by another process", account.name, extra={"action": "account.raced"})

    async def _correct(self, user: User, account: Account) -> None:
        if user.roles != account.roles:
            await self._users.set_roles(user.id, account.roles)
        if not await self._passwords.fits(account.password, user.password_hash):
            await self._users.set_password(user.id, await self._passwords.hashed(account.password))


class NotYet(Exception):
    """The demo accounts are not written yet."""
