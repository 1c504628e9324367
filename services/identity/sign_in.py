"""Signing in: a name and a password for a token, or no word about which of the two was wrong."""

from services.chassis.errors import Problem
from services.identity.guessing import FailedSignIns
from services.identity.names import possible
from services.identity.passwords import Passwords
from services.identity.users import User, Users


class WrongNameOrPassword(Problem):
    """The name or the password is wrong."""

    members = {"error": "invalid_grant", "error_description": "The name or the password is wrong."}  # noqa: RUF012


class SignIn:
    """Checks a password, patiently with people and impatiently with guessers."""

    def __init__(self, users: Users, passwords: Passwords, failures: FailedSignIns) -> None:
        self._users, self._passwords, self._failures = users, passwords, failures

    async def user(self, name: str, password: str) -> User:
        """The user, if the password is right; raises WrongNameOrPassword or TooManyFailures."""
        if not possible(name):
            await self._passwords.fits(password, None)
            raise WrongNameOrPassword
        await self._failures.check(name)
        user = await self._users.named(name)
        if not await self._passwords.fits(password, user.password_hash if user else None) or user is None:
            await self._failures.add(name)
            raise WrongNameOrPassword
        await self._failures.forgive(name)
        if self._passwords.outdated(user.password_hash):
            await self._users.set_password(user.id, await self._passwords.hashed(password))
        return user
