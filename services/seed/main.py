"""The first items, registered through the public API by the demo accounts; a second run adds nothing."""

import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import httpx
from pydantic import Field

from services.chassis import logs
from services.chassis.settings import Settings
from services.seed.api import Api, GaveUp
from services.seed.entries import Account, Entry, read_entries, read_owners
from services.seed.planting import Planting, summary


class SeedSettings(Settings):
    """Where the platform is and what goes into it."""

    platform_url: str = Field("http://gateway:8080", description="The one public address.")
    seed_items: Path = Field(Path("data/seed_items"), description="Folder with items.jsonl and its pictures.")
    accounts_file: Path = Field(Path("accounts.json"), description="The demo accounts.")


def run(arguments: Sequence[str]) -> int:
    """Put in what is missing."""
    settings = SeedSettings()
    logs.configure("seed", settings.log_format, settings.log_level)
    entries = read_entries(settings.seed_items)
    if not entries:
        say(f"nothing to do: there is no items.jsonl in {settings.seed_items}")
        return 0
    owners = read_owners(settings.accounts_file)
    try:
        return asyncio.run(seeded(settings, entries, owners))
    except GaveUp as error:
        say(f"gave up: {error}")
        return 1


async def seeded(settings: SeedSettings, entries: Sequence[Entry], owners: Sequence[Account]) -> int:
    """One run against the platform."""
    limits = httpx.Limits(max_connections=16)
    async with httpx.AsyncClient(base_url=settings.platform_url, timeout=20, limits=limits) as http:
        return await planted(Planting(Api(http), settings.seed_items, owners, say), entries)


async def planted(planting: Planting, entries: Sequence[Entry]) -> int:
    """Register what is missing, wait for the models, like a few, say what became of all."""
    started = time.monotonic()
    await planting.sign_in()
    missing = await planting.missing(entries)
    if not missing:
        planting.say(f"all {len(entries)} items are there already")
        return 0
    await planting.register(missing)
    items = await planting.decided()
    likes = await planting.like(list(items.values()))
    for line in (*planting.failed, *summary(missing, planting.registered, items)):
        planting.say(line)
    planting.say(
        f"registered={len(missing)} failed={len(planting.failed)} likes={likes} s={time.monotonic() - started:.1f}"
    )
    return 1 if planting.failed else 0


def say(line: str) -> None:
    """One line of progress, seen at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
