"""What an address names is fetched once, whole or not at all, and goes on where it was cut off."""

from pathlib import Path

import httpx
import pytest

from pipelines.own import fetching
from pipelines.own.fetching import NotFetched

CONTENT = bytes(range(256)) * 20_000
ADDRESS = "https://example.org/sets/cifar-10-python.tar.gz?x=1"


class Server:
    """Sends the content, or the rest of it; cuts off after so many bytes."""

    def __init__(self, cut: int | None = None, ranges: bool = True) -> None:
        self.cut, self.ranges = cut, ranges
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        wanted = request.headers.get("range", "")
        self.asked.append(wanted)
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and self.ranges else 0
        rest = CONTENT[start:]
        sent = rest[: self.cut] if self.cut else rest
        headers = {"content-length": str(len(rest))}
        return httpx.Response(206 if start else 200, headers=headers, stream=httpx.ByteStream(sent))


def fetch(folder: Path, server: Server, largest: int = 10**9) -> Path:
    with httpx.Client(transport=httpx.MockTransport(server)) as client:
        return fetching.fetched(ADDRESS, folder, largest, client)


def test_it_is_fetched_once_and_keeps_its_name(tmp_path: Path) -> None:
    server = Server()
    path = fetch(tmp_path, server)
    assert (path.name, path.read_bytes()) == ("cifar-10-python.tar.gz", CONTENT)
    assert fetch(tmp_path, server) == path
    assert len(server.asked) == 1


def test_it_goes_on_where_it_was_cut_off(tmp_path: Path) -> None:
    with pytest.raises(NotFetched, match="go on"):
        fetch(tmp_path, Server(cut=3_000_000))
    assert [path.suffix for path in tmp_path.rglob("*") if path.is_file()] == [".part"], (
        "only what is whole has its name"
    )
    server = Server()
    assert fetch(tmp_path, server).read_bytes() == CONTENT
    assert server.asked == ["bytes=3000000-"]


def test_a_server_that_cannot_go_on_starts_over(tmp_path: Path) -> None:
    with pytest.raises(NotFetched):
        fetch(tmp_path, Server(cut=1_000_000))
    assert fetch(tmp_path, Server(ranges=False)).read_bytes() == CONTENT


def test_what_is_too_large_is_refused_before_it_comes(tmp_path: Path) -> None:
    with pytest.raises(NotFetched, match="more than 1000"):
        fetch(tmp_path, Server(), largest=1000)


def test_what_the_server_refuses_is_told(tmp_path: Path) -> None:
    transport = httpx.MockTransport(lambda request: httpx.Response(404))
    with httpx.Client(transport=transport) as client, pytest.raises(NotFetched, match="404"):
        fetching.fetched(ADDRESS, tmp_path, 10**9, client)


def test_what_is_neither_a_path_nor_an_address_is_told() -> None:
    with pytest.raises(NotFetched, match="neither"):
        fetching.brought("no/such/folder")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("https://example.org/pets/images.tar.gz", "https://example.org/pets/annotations.tar.gz"),
        ("pets/images.tar.gz", "pets/annotations.tar.gz"),
    ],
)
def test_what_lies_beside_it_is_found(data: str, expected: str) -> None:
    assert fetching.beside(data, "annotations.tar.gz") == expected
