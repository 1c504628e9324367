"""Hashing passwords without taking the machine down."""

import asyncio
import threading

import pytest
from argon2 import PasswordHasher

from services.identity.passwords import AT_ONCE, WAITING, Busy, Passwords


class SlowHasher(PasswordHasher):
    """Blocks until it is let go, and counts who is inside."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.go, self.full, self.inside, self.most = threading.Event(), threading.Event(), 0, 0
        self.lock = threading.Lock()

    def verify(self, hash: str | bytes, password: str | bytes) -> bool:  # type: ignore[override]
        with self.lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
            if self.inside == AT_ONCE:
                self.full.set()
        assert self.go.wait(30)
        with self.lock:
            self.inside -= 1
        return super().verify(hash, password)


async def test_only_the_right_password_fits() -> None:
    passwords = Passwords()
    kept = await passwords.hashed("ﾊﾟｽﾜｰﾄﾞ with ａ")
    assert await passwords.fits("パスワード with a", kept)
    assert not await passwords.fits("another", kept)
    assert not await passwords.fits("anything", "not a hash")
    assert not await passwords.fits("nobody's password", None)


async def test_a_few_at_once_some_wait_and_the_rest_are_sent_away() -> None:
    hasher = SlowHasher()
    passwords = Passwords(hasher)
    kept = await passwords.hashed("a password")
    served = [asyncio.create_task(passwords.fits("a password", kept)) for _ in range(AT_ONCE + WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(Busy) as refused:
        await passwords.fits("a password", kept)
    assert refused.value.headers["Retry-After"] == "1"
    assert await asyncio.to_thread(hasher.full.wait, 30)
    hasher.go.set()
    assert all(await asyncio.gather(*served))
    assert hasher.most == AT_ONCE
    assert await passwords.fits("a password", kept)


async def test_an_unknown_name_costs_one_hash_too() -> None:
    hasher = SlowHasher()
    hasher.go.set()
    await Passwords(hasher).fits("a password", None)
    assert hasher.most == 1


async def test_hashes_of_other_parameters_are_outdated() -> None:
    passwords = Passwords()
    assert passwords.outdated(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("a password"))
    assert not passwords.outdated(await passwords.hashed("a password"))
