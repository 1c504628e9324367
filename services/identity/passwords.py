"""Passwords are kept as Argon2id hashes, made in threads, a few at a time.

Parameters: 19 MiB, 2 passes, 1 lane, the smallest that OWASP recommends, so that the two at once that are allowed
take 38 MiB at most (the library's default is 64 MiB each). Changing them rehashes each password at its next use.
"""

import asyncio
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from services.chassis.errors import Unavailable

MEMORY_KIB = 19 * 1024
PASSES = 2
AT_ONCE = 2
WAITING = 30
"""About half a second of waiting; who comes then is sent away, and not made to wait for nothing."""

LONGEST = 128
Answer = TypeVar("Answer")


class Busy(Unavailable):
    """Too many people are signing in right now; try again."""


class Passwords:
    """Hashes and checks. Slow on purpose, and so limited."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=1)
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="argon2")
        self._inside = 0
        self._nobodys = self._hasher.hash("nobody's password")

    async def hashed(self, password: str) -> str:
        """The hash to keep."""
        return await self._in_thread(lambda: self._hasher.hash(_spelled(password)))

    async def fits(self, password: str, kept: str | None) -> bool:
        """Whether it is the password of that hash. Without a hash it takes as long, and is false."""
        if len(password) > LONGEST:
            return False
        verified = await self._in_thread(lambda: self._verified(_spelled(password), kept or self._nobodys))
        return verified and kept is not None

    def outdated(self, kept: str) -> bool:
        """Whether the hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(kept)

    def _verified(self, password: bytes, kept: str) -> bool:
        try:
            return self._hasher.verify(kept, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _in_thread(self, work: Callable[[], Answer]) -> Answer:
        if self._inside >= AT_ONCE + WAITING:
            raise Busy(f"{self._inside} are being served.")
        self._inside += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._inside -= 1


def _spelled(password: str) -> bytes:
    """Keyboards differ in how they write the same letters."""
    return unicodedata.normalize("NFKC", password).encode()
