"""Requests answered at once: what a lane takes, what goes the usual road, and that a client cannot tell."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from functools import partial
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import uvicorn

from services.chassis.at_once import MOST_BYTES, PORTION, Answer, Protocol, Turn
from services.chassis.http import Receive, Scope, Send

READ = 64 * 1024


def lane(headers: Mapping[bytes, bytes], body: bytes) -> Answer | None:
    """Answers everything but what it is told not to."""
    if b"strange" in body:
        return None
    told = {"by": "lane", "body": len(body), "headers": sorted(name.decode() for name in headers)}
    return headers.get(b"x-request-id", b"none").decode(), json.dumps(told).encode()


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """The usual road: says what came to it."""
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message["body"], message["more_body"]
    told = {"by": "app", "body": len(body), "headers": sorted(name.decode() for name, _ in scope["headers"])}
    content = json.dumps(told | {"path": scope["path"], "version": scope["http_version"]}).encode()
    about = [(b"content-length", b"%d" % len(content))]
    await send({"type": "http.response.start", "status": 200, "headers": about})
    await send({"type": "http.response.body", "body": content})


class Connection:
    """One connection to the server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def ask(self, *parts: bytes) -> dict[str, Any]:
        """Send a request in these parts, each when the one before was sent; the first is the head."""
        for part in parts:
            self.writer.write(part)
            await self.writer.drain()
        return await self.answer()

    async def answer(self) -> dict[str, Any]:
        """The next answer's body, with its status and headers beside."""
        lines = (await self.reader.readuntil(b"\r\n\r\n")).decode().lower().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines[1:] if line)
        content = await self.reader.readexactly(int(headers.get("content-length", 0)))
        body = json.loads(content) if content.startswith(b"{") else {}
        return {"status": lines[0].split()[1], "answered": headers} | body


def post(body: bytes = b"{}", *headers: bytes, path: bytes = b"/lane", version: bytes = b"1.1") -> bytes:
    """A request as it is sent."""
    lines = [b"POST %s HTTP/%s" % (path, version), b"Host: h", b"Content-Length: %d" % len(body), *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


class Kept:
    """Notes what was answered when it was written down."""

    def __init__(self) -> None:
        self.holding = False
        self.writes: list[int] = []
        self._held = 0

    def lane(self, headers: Mapping[bytes, bytes], body: bytes) -> Answer | None:
        """The lane, with something to keep of each answer."""
        assert self.holding
        self._held += 1
        return lane(headers, body)

    def flush(self) -> None:
        """All that is held."""
        if self._held:
            self.writes.append(self._held)
        self._held = 0


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
async def server(kept: Kept) -> AsyncIterator[uvicorn.Server]:
    """Uvicorn with the protocol, listening; idle connections end soon."""
    turn = Turn()
    turn.keeper = kept
    protocol: Any = partial(Protocol, lanes={b"/lane": kept.lane}, turn=turn)
    config = uvicorn.Config(app, port=0, http=protocol, log_config=None, lifespan="off", timeout_keep_alive=1)
    server = uvicorn.Server(config)
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    server.server_state.default_headers = [(b"date", b"today")]
    yield server
    await server.shutdown()


@pytest.fixture
async def connection(server: uvicorn.Server) -> AsyncIterator[Connection]:
    """To that server."""
    port = server.servers[0].sockets[0].getsockname()[1]
    made = Connection(*await asyncio.open_connection("127.0.0.1", port))
    yield made
    made.writer.close()


async def test_the_lane_answers_again_and_again(connection: Connection) -> None:
    for body in (b"{}", b"{} ", b""):
        told = await connection.ask(post(body, b"X-Request-Id: r1"))
        assert (told["status"], told["by"], told["body"]) == ("200", "lane", len(body))
        assert told["headers"] == ["content-length", "host", "x-request-id"]
        assert told["answered"]["x-request-id"] == "r1"
        assert told["answered"]["content-type"] == "application/json"
        assert told["answered"]["date"] == "today"


async def test_a_body_in_parts_is_put_together(connection: Connection) -> None:
    whole = post(b"0123456789")
    assert (await connection.ask(whole[:20], whole[20:-7], whole[-7:-3], whole[-3:]))["body"] == 10
    head = b"POST /lane HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    told = await connection.ask(head, b"3\r\nabc\r\n", b"2\r\nde\r\n0\r\n\r\n")
    assert (told["by"], told["body"]) == ("lane", 5)


@pytest.mark.parametrize(
    ("request_", "size"),
    {
        "what the lane does not answer": (post(b"strange"), 7),
        "another address": (post(path=b"/other"), 2),
        "a query": (post(path=b"/lane?x=1"), 2),
        "a large body": (post(b"x" * (MOST_BYTES + 1)), MOST_BYTES + 1),
        "another method": (post().replace(b"POST", b"PUT"), 2),
        "HTTP/1.0": (post(version=b"1.0"), 2),
        "the last of its connection": (post(b"{}", b"Connection: close"), 2),
    }.values(),
)
async def test_the_rest_goes_the_usual_road_whole(connection: Connection, request_: bytes, size: int) -> None:
    told = await connection.ask(request_)
    assert (told["by"], told["body"]) == ("app", size)
    assert told["headers"][:2] == sorted({"connection", "content-length", "host"} & set(told["headers"]))[:2]


async def test_who_waits_to_be_asked_for_the_body_is_asked(connection: Connection) -> None:
    whole = post(b"{}", b"Expect: 100-continue")
    assert (await connection.ask(whole[:-2]))["status"] == "100"
    assert (await connection.ask(whole[-2:]))["by"] == "app"


async def test_answers_come_in_the_order_of_the_questions(connection: Connection) -> None:
    bodies = (b"a", b"strange", b"bcd", b"ef", b"strange too")
    connection.writer.write(b"".join(map(post, bodies)))
    told = [await connection.answer() for _ in bodies]
    assert [answer["body"] for answer in told] == [len(body) for body in bodies]
    assert [answer["by"] for answer in told][:2] == ["lane", "app"]


async def test_what_is_no_http_is_refused(connection: Connection) -> None:
    assert (await connection.ask(b"nonsense\r\n\r\n"))["status"] == "400"


async def test_an_idle_connection_is_closed(connection: Connection) -> None:
    await connection.ask(post())
    assert await connection.reader.read() == b""


async def test_a_request_under_way_is_answered_before_the_end(server: uvicorn.Server, connection: Connection) -> None:
    whole = post(b"0123456789")
    await connection.ask(post())
    connection.writer.write(whole[:-5])
    (protocol,) = server.server_state.connections
    assert isinstance(protocol, Protocol)
    while not protocol._body.startswith(b"01234"):
        await asyncio.sleep(0)
    protocol.shutdown()
    told = await connection.ask(whole[-5:])
    assert (told["by"], told["body"], told["answered"]["connection"]) == ("app", 10, "close")


async def test_the_answers_of_a_turn_are_kept_by_one_write_before_they_are_sent(
    server: uvicorn.Server, connection: Connection, kept: Kept
) -> None:
    port = server.servers[0].sockets[0].getsockname()[1]
    other = Connection(*await asyncio.open_connection("127.0.0.1", port))
    while len(server.server_state.connections) < 2:
        await asyncio.sleep(0)
    connection.writer.write(post() * 3)
    for number in range(3):
        await connection.answer()
        assert sum(kept.writes) >= number + 1
    assert kept.writes == [3]
    other.writer.close()


async def test_a_gateway_gets_many_answers_in_portions_without_what_it_says_itself(
    server: uvicorn.Server, connection: Connection, kept: Kept
) -> None:
    many = 2 * PORTION + 1
    with TemporaryDirectory(dir="/tmp") as folder:
        path = f"{folder}/socket"
        loop, made = asyncio.get_running_loop(), server.config.http_protocol_class
        beside = await loop.create_unix_server(
            lambda: made(config=server.config, server_state=server.server_state, app_state={}),  # type: ignore[call-arg]
            path,
        )
        gateway = Connection(*await asyncio.open_unix_connection(path))
        while len(server.server_state.connections) < 2:
            await asyncio.sleep(0)
        for asking, own in ((gateway, set()), (connection, {"date", "x-request-id"})):
            asking.writer.write(post() * many)
            for _ in range(many):
                told = await asking.answer()
                assert told["status"] == "200"
                assert set(told["answered"]) == {"content-type", "content-length"} | own
        gateway.writer.close()
        beside.close()
    assert kept.writes == [PORTION, PORTION, 1, many]


async def test_who_is_alone_waits_for_nobody(connection: Connection, kept: Kept) -> None:
    await connection.ask(post())
    await connection.ask(post())
    assert kept.writes == [1, 1]


async def test_what_was_held_and_is_answered_otherwise_is_kept_too(connection: Connection, kept: Kept) -> None:
    assert (await connection.ask(post(b"strange")))["by"] == "app"
    assert kept.writes == [1]


async def test_a_good_question_is_answered_though_nonsense_follows(
    server: uvicorn.Server, connection: Connection
) -> None:
    port = server.servers[0].sockets[0].getsockname()[1]
    other = Connection(*await asyncio.open_connection("127.0.0.1", port))
    while len(server.server_state.connections) < 2:
        await asyncio.sleep(0)
    connection.writer.write(post() + b"nonsense\r\n\r\n")
    assert [(await connection.answer())["status"] for _ in range(2)] == ["200", "400"]
    other.writer.close()
