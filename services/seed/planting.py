"""Registers what is missing, waits until all of it is decided, and counts."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services.seed.api import PAUSE_SECONDS, Api, Unexpected
from services.seed.entries import Account, Entry, owner_of

AT_ONCE = 8
EVERY_SECONDS = 2.0
LIKED_EVERY = 5
DECIDING_SECONDS = 300.0
OPEN, PUBLISHED = "screening", "published"
Say = Callable[[str], None]


@dataclass
class Planting:
    """One run of the seed."""

    api: Api
    folder: Path
    owners: Sequence[Account]
    say: Say
    failed: list[str] = field(default_factory=list)
    registered: dict[str, str] = field(default_factory=dict)
    done: int = 0
    _told: float = 0.0

    async def sign_in(self) -> None:
        """Sign all owners in."""
        await asyncio.gather(*(self.api.sign_in(owner.name, owner.password) for owner in self.owners))

    async def missing(self, entries: Sequence[Entry]) -> list[Entry]:
        """What its owner has not got yet, as far as one can see without uploading.

        Words are not unique: all of those with the same words are sent when one is missing, which is harmless.
        """
        counted = await asyncio.gather(*map(self._words, self.owners))
        have = {
            (owner.name, *words): count
            for owner, counts in zip(self.owners, counted, strict=True)
            for words, count in counts.items()
        }
        wanted = Counter(self._place(entry) for entry in entries)
        return [entry for entry in entries if have.get(self._place(entry), 0) < wanted[self._place(entry)]]

    def _place(self, entry: Entry) -> tuple[str, str, str]:
        return (owner_of(entry, self.owners).name, *entry.words)

    async def _words(self, owner: Account) -> Counter[tuple[str, str]]:
        return Counter([(item["title"], item["description"]) async for item in self.api.mine(owner.name)])

    async def register(self, entries: Sequence[Entry]) -> None:
        """Register them, a few at a time."""
        slots = asyncio.Semaphore(AT_ONCE)

        async def one(entry: Entry) -> None:
            async with slots:
                await self._registered(entry)
            self.done += 1
            self._tell("register", self.done, len(entries))

        await asyncio.gather(*(one(entry) for entry in entries))
        self._tell("register", self.done, len(entries), last=True)

    async def _registered(self, entry: Entry) -> None:
        name = owner_of(entry, self.owners).name
        try:
            image_id = await self.api.upload(name, self.folder / entry.picture)
            words = {"title": entry.title, "description": entry.description, "category": entry.category}
            item = await self.api.register(name, entry.key, words | {"image_id": image_id})
            self.registered[entry.key] = item["id"]
        except (Unexpected, OSError) as error:
            self.failed.append(f"{entry.picture}: {error}")

    async def decided(self) -> dict[str, dict[str, Any]]:
        """All items of the owners by id, once none of them waits for the models any more."""
        deadline = time.monotonic() + DECIDING_SECONDS
        total = len(self.registered)
        while (waiting := await self._waiting()) and time.monotonic() < deadline:
            self._tell("judge", max(0, total - waiting), total)
            await asyncio.sleep(PAUSE_SECONDS)
        self._tell("judge", total, total, last=True)
        found = await asyncio.gather(*map(self._items, self.owners))
        return {item["id"]: item for items in found for item in items}

    async def _waiting(self) -> int:
        async def of(owner: Account) -> int:
            return len([item async for item in self.api.mine(owner.name, OPEN)])

        return sum(await asyncio.gather(*map(of, self.owners)))

    async def _items(self, owner: Account) -> list[dict[str, Any]]:
        return [item async for item in self.api.mine(owner.name)]

    async def like(self, items: Sequence[dict[str, Any]]) -> int:
        """Everybody likes a few of the others' items, the same ones at each run."""
        shown = sorted((item for item in items if item["state"] == PUBLISHED), key=lambda item: str(item["image_id"]))
        pairs = [
            (owner.name, item["id"])
            for number, item in enumerate(shown)
            for turn, owner in enumerate(self.owners)
            if (number + turn) % LIKED_EVERY == 0 and item["owner_name"] != owner.name
        ]
        slots = asyncio.Semaphore(AT_ONCE)

        async def one(name: str, item_id: str) -> None:
            async with slots:
                await self.api.like(name, item_id)

        await asyncio.gather(*(one(name, item_id) for name, item_id in pairs))
        return len(pairs)

    def _tell(self, what: str, done: int, total: int, *, last: bool = False) -> None:
        now = time.monotonic()
        if last or now - self._told >= EVERY_SECONDS:
            self._told = now
            self.say(f"progress what={what} done={done} total={total}")


def summary(entries: Sequence[Entry], registered: Mapping[str, str], items: Mapping[str, dict[str, Any]]) -> list[str]:
    """How many are in which state, and how often that is what was expected."""
    states = {entry.key: items.get(registered.get(entry.key, ""), {}).get("state", "missing") for entry in entries}
    lines = [f"items {_counted(states.values())}"]
    for expected in sorted({entry.state for entry in entries if entry.state}):
        actual = _counted(states[entry.key] for entry in entries if entry.state == expected)
        lines.append(f"expected {expected}: {actual}")
    return lines


def _counted(states: Iterable[str]) -> str:
    return " ".join(f"{state}={count}" for state, count in sorted(Counter(states).items()))
