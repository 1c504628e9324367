"""A service listens on a Unix socket beside its port."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import pytest

from services.chassis.backends import Backends
from services.chassis.neighbours import sockets
from services.chassis.ports import LONGEST_PATH, socket_path
from services.chassis.service import Service, run
from tests.servers import free_port


@pytest.fixture
def folder() -> Iterator[Path]:
    """A socket's path may not be long."""
    with TemporaryDirectory(dir="/tmp") as folder:
        yield Path(folder) / "sockets"


@asynccontextmanager
async def serving(folder: Path, port: int) -> AsyncIterator[None]:
    """A service that runs for the length of the block."""
    async with httpx.AsyncClient() as http:
        service, end = Service("neighbour", Backends(http=http)), asyncio.Event()

        @service.background
        async def until_the_end() -> None:
            await end.wait()

        running = asyncio.create_task(run(service, "127.0.0.1", port, folder))
        try:
            yield
        finally:
            end.set()
            with pytest.raises(RuntimeError, match="ended by itself"):
                await running


async def status(port: int, path: Path | None = None) -> int:
    """What it says there; waits until it listens."""
    async with (
        asyncio.timeout(20),
        httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(uds=str(path) if path else None)) as http,
    ):
        while True:
            try:
                return (await http.get(f"http://127.0.0.1:{port}/health/live")).status_code
            except httpx.ConnectError:
                await asyncio.sleep(0)


async def test_a_service_answers_on_both_and_leaves_no_socket_behind(folder: Path) -> None:
    port = free_port()
    path = socket_path(folder, port)
    async with serving(folder, port):
        assert await status(port, path) == 200
        assert await status(port) == 200
        assert folder.stat().st_mode & 0o077 == 0
    assert list(folder.iterdir()) == []


async def test_what_a_killed_process_left_is_replaced(folder: Path) -> None:
    port = free_port()
    path = socket_path(folder, port)
    folder.mkdir()
    with socket.socket(socket.AF_UNIX) as killed:
        killed.bind(str(path))
    async with serving(folder, port):
        assert await status(port, path) == 200


def test_who_finds_the_port_taken_leaves_the_other_s_socket_alone(folder: Path) -> None:
    port = free_port()
    with sockets(folder, "127.0.0.1", port):
        before = socket_path(folder, port).stat().st_ino
        with pytest.raises(OSError, match="in use"), sockets(folder, "127.0.0.1", port):
            pass
        assert socket_path(folder, port).stat().st_ino == before


def test_the_longest_path_is_one(folder: Path) -> None:
    folder.mkdir()
    path = folder / ("x" * (LONGEST_PATH - len(str(folder)) - 1))
    with socket.socket(socket.AF_UNIX) as longest:
        longest.bind(str(path))
    assert path.is_socket()
