"""Search on a fresh database, with the real words."""

import httpx
import pytest

from services.chassis.backends import Backends
from services.chassis.bus import MemoryBus
from services.search.main import build
from services.texts.main import build as build_texts
from tests.conftest import MakeBackends, MakeClient, MakeDatabase
from tests.services.search.library import Library, Neighbours


@pytest.fixture(scope="session")
def texts() -> httpx.AsyncBaseTransport:
    """The service texts; its dictionary is loaded once."""
    return httpx.ASGITransport(build_texts(Backends(http=httpx.AsyncClient())).app)


@pytest.fixture
async def library(
    database: MakeDatabase,
    backends: MakeBackends,
    client: MakeClient,
    memory_bus: MemoryBus,
    texts: httpx.AsyncBaseTransport,
) -> Library:
    """Search with nothing in it yet."""
    neighbours = Neighbours(texts)
    pool = await database("search")
    service = build(backends(database=pool, transport=httpx.MockTransport(neighbours)))
    return Library(service, client(service), pool, memory_bus, neighbours)
