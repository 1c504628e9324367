"""Fixtures every test may use: real PostgreSQL, a real broker, a bus in memory, tokens, clients."""

import os
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from itertools import count
from pathlib import Path
from uuid import UUID

import httpx
import psycopg
import pytest

from services.chassis.auth import TokenVerifier
from services.chassis.backends import Backends
from services.chassis.bus import Bus, MemoryBus
from services.chassis.database import Database
from services.chassis.database import database as open_database
from services.chassis.files import FileStore
from services.chassis.service import Service
from services.chassis.settings import Settings
from tests import servers, tokens
from tests.platform import Platform

MakeDatabase = Callable[[str], Awaitable[Database]]
MakeClient = Callable[[Service], httpx.AsyncClient]
MakeBackends = Callable[..., Backends]
_numbers = count(1)


@pytest.fixture(scope="session")
def postgres_address() -> Iterator[str]:
    """The superuser's address of a PostgreSQL server of this test run."""
    with servers.postgres() as address:
        yield address


@pytest.fixture(scope="session")
def migrated(postgres_address: str) -> str:
    """The server with every role, schema and migration; database `platform` is the template of the tests'."""
    from services.chassis.roles import ROLES
    from services.migrate.main import migrate

    migrate(postgres_address, {role: f"password of {role}" for role in ROLES})
    return postgres_address


@pytest.fixture
async def database(migrated: str) -> AsyncIterator[MakeDatabase]:
    """`await database("items")`: an open pool as that role, all on one fresh migrated database per test."""
    name = f"test_{next(_numbers)}"
    with psycopg.connect(migrated, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE platform")
    async with AsyncExitStack() as stack:

        async def opened(role: str) -> Database:
            url = migrated.replace("postgres@", f"{role}@").replace("/postgres", f"/{name}")
            pool = open_database(Settings(database_url=url, database_pool_size=4, database_vectors=role == "search"))
            await pool.open(wait=True, timeout=10)
            stack.push_async_callback(pool.close)
            return pool

        yield opened
    with psycopg.connect(migrated, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def kafka_servers() -> Iterator[str]:
    """Addresses of a broker: the wheel's, or what KAFKA_BOOTSTRAP_SERVERS names."""
    with servers.kafka() as address:
        yield address


@pytest.fixture
def memory_bus() -> MemoryBus:
    """The bus of unit tests."""
    return MemoryBus()


@pytest.fixture
async def backends(tmp_path: Path, memory_bus: MemoryBus) -> AsyncIterator[MakeBackends]:
    """`backends(database=..., transport=...)`: backends with a memory bus, files in a folder, the test key.

    `transport` answers what the service asks of other services (httpx.MockTransport).
    """
    async with AsyncExitStack() as stack:

        def made(
            database: Database | None = None,
            transport: httpx.AsyncBaseTransport | None = None,
            bus: Bus | None = None,
        ) -> Backends:
            http = httpx.AsyncClient(transport=transport or httpx.MockTransport(_nobody_there))
            stack.push_async_callback(http.aclose)
            return Backends(
                http=http,
                maybe_database=database,
                maybe_bus=bus or memory_bus,
                maybe_files=FileStore((tmp_path / "files").as_uri()),
                maybe_verifier=TokenVerifier(tokens.JWKS),
            )

        yield made


@pytest.fixture
async def client() -> AsyncIterator[MakeClient]:
    """`client(service)`: speaks HTTP to a service in this process."""
    async with AsyncExitStack() as stack:

        def speaking(service: Service) -> httpx.AsyncClient:
            transport = httpx.ASGITransport(service.app, raise_app_exceptions=False)
            http = httpx.AsyncClient(transport=transport, base_url="http://service")
            stack.push_async_callback(http.aclose)
            return http

        yield speaking


@pytest.fixture
def token() -> Callable[..., str]:
    """`token(sub=..., name=..., roles=[...])`: a token that the test backends take."""
    return tokens.token


@pytest.fixture
def signed_in() -> Callable[..., dict[str, str]]:
    """`signed_in(...)`: the header with such a token."""

    def header(sub: UUID | None = None, name: str = "somebody", roles: tuple[str, ...] = ()) -> dict[str, str]:
        return {"Authorization": f"Bearer {tokens.token(sub=sub, name=name, roles=roles)}"}

    return header


def _nobody_there(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError(f"no {request.url} in this test", request=request)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--platform URL --accounts FILE` points journeys and browser tests at any running platform."""
    parser.addoption("--platform", help="address of a running platform; without it one is started")
    parser.addoption("--accounts", type=Path, help="its accounts.json (scripts/accounts --json)")


@pytest.fixture(scope="session")
def platform(request: pytest.FixtureRequest) -> Iterator[Platform]:
    """The platform under test: the one named, or one of the tests' own, started and left for the next run to reuse."""
    url, accounts = request.config.getoption("--platform"), request.config.getoption("--accounts")
    if url:
        assert accounts, "--platform needs --accounts FILE"
        found = Platform.at(url, accounts, project=request.config.getoption("--compose", default=None))
    else:
        found = request.getfixturevalue("own_platform")
    yield found
    found.close()


@pytest.fixture(scope="session")
def own_platform() -> Iterator[Platform]:
    """A platform in STATE_DIR on PORT, which scripts/test sets; started here, stopped afterwards."""
    state_dir, port = Path(os.environ["STATE_DIR"]), os.environ["PORT"]
    environment = {**os.environ, "TRAIN_THE_REST": "false"}
    accounts = state_dir / "volumes" / "keys-accounts" / "accounts.json"
    try:
        subprocess.run(["scripts/up", "--without", "seed"], env=environment, check=True)
        yield Platform.at(f"http://127.0.0.1:{port}", accounts, state_dir)
    finally:
        subprocess.run(["scripts/down"], check=True)


@pytest.fixture(scope="session")
def trained(request: pytest.FixtureRequest) -> Path:
    """The folder below which the pipelines' results lie: this clone's, else those of the tests' own platform."""
    root: Path = request.config.rootpath
    if (root / "data" / "image_screening" / "model" / "manifest.json").is_file():
        return root
    if "STATE_DIR" not in os.environ:
        pytest.skip("nothing is trained here: scripts/test trains, or dvc repro -P")
    own: Platform = request.getfixturevalue("own_platform")
    assert own.state_dir
    return own.state_dir / "volumes" / "trainer" / "workspace"


LAST = ("journeys", "chaos", "browser")
"""What needs a running platform comes last; the browser's driver keeps an event loop of its own until the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Quick tests first."""

    def turn(item: pytest.Item) -> int:
        folder = item.path.relative_to(item.config.rootpath).parts[1]
        if folder in LAST:
            return LAST.index(folder) + 2
        fixtures = getattr(item, "fixturenames", ())
        return 2 if "platform" in fixtures else 1 if "trained" in fixtures else 0

    items.sort(key=turn)
