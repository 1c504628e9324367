"""The open connections a service is built on."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

import httpx

from services.chassis.auth import TokenVerifier
from services.chassis.bus import Bus
from services.chassis.database import Database, database
from services.chassis.files import FileStore
from services.chassis.settings import Settings, Unusable

Backend = TypeVar("Backend")


@dataclass(frozen=True)
class Backends:
    """What is open is what has an address; asking for what is not raises NotConfigured."""

    http: httpx.AsyncClient
    maybe_database: Database | None = None
    maybe_bus: Bus | None = None
    maybe_files: FileStore | None = None
    maybe_verifier: TokenVerifier | None = None

    @property
    def database(self) -> Database:
        """PostgreSQL."""
        return _given(self.maybe_database, "DATABASE_URL")

    @property
    def bus(self) -> Bus:
        """The log."""
        return _given(self.maybe_bus, "KAFKA_BOOTSTRAP_SERVERS")

    @property
    def files(self) -> FileStore:
        """The file store."""
        return _given(self.maybe_files, "FILES_URL")

    @property
    def verifier(self) -> TokenVerifier:
        """The keys that tokens are checked with."""
        return _given(self.maybe_verifier, "JWKS_FILE")


class NotConfigured(Unusable):
    """A service needs a backend whose address was not given."""


def _given(backend: Backend | None, variable: str) -> Backend:
    if backend is None:
        raise NotConfigured(f"{variable} is missing")
    return backend


def _kafka(settings: Settings) -> Bus:
    # Imported where it is needed: the client is large, and most services have no use for it.
    from services.chassis.kafka_bus import KafkaBus

    return KafkaBus(settings)


@asynccontextmanager
async def open_backends(settings: Settings) -> AsyncIterator[Backends]:
    """Open what the settings name; nothing waits for anything to be up."""
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(httpx.AsyncClient(timeout=httpx.Timeout(10, connect=2)))
        pool = database(settings) if settings.database_url else None
        if pool is not None:
            await pool.open(wait=False)
            stack.push_async_callback(pool.close, timeout=2)
        bus = _kafka(settings) if settings.kafka_bootstrap_servers else None
        if bus is not None:
            stack.push_async_callback(bus.close)
        yield Backends(
            http=http,
            maybe_database=pool,
            maybe_bus=bus,
            maybe_files=FileStore(settings.files_url) if settings.files_url else None,
            maybe_verifier=TokenVerifier(settings.jwks_file.read_bytes()) if settings.jwks_file else None,
        )
