"""Fixtures for tests of items."""

import httpx
import pytest

from services.chassis.bus import MemoryBus
from services.items.main import build
from tests.conftest import MakeBackends, MakeClient, MakeDatabase
from tests.services.items.stage import Stage, pictures


@pytest.fixture
async def stage(database: MakeDatabase, backends: MakeBackends, client: MakeClient, memory_bus: MemoryBus) -> Stage:
    """Items on a fresh database."""
    pool = await database("items")
    service = build(backends(database=pool, transport=httpx.MockTransport(pictures)))
    return Stage(service, client(service), pool, memory_bus)
