"""Answers frequent requests in the turn of the event loop in which they come: no task, no ASGI messages.

A lane gets the headers and the body of a POST to its address and gives the whole answer, or None: then the request
goes the usual road, as if nobody had looked at it. So does whatever is unlike most requests: HTTP/1.0, a connection
that ends, a large body, an answer still under way on the same connection.

What must be kept of an answer before it is sent (the prediction log) is written once for all answers of a turn, or for
a portion of them.
"""

import asyncio
import sys
from collections.abc import Callable, Mapping
from typing import Any
from typing import Protocol as Interface

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

Answer = tuple[str, bytes]
"""The request id, and JSON."""
Lane = Callable[[Mapping[bytes, bytes], bytes], Answer | None]
Lanes = Mapping[bytes, Lane]

MOST_BYTES = 64 * 1024
PORTION = 8
"""Answers that a gateway gets together: it passes them on while the next are made. Nobody else gains by portions."""
ANSWER = b"HTTP/1.1 200 OK\r\n%scontent-type: application/json\r\ncontent-length: %d\r\nx-request-id: %s\r\n\r\n%s"
TO_GATEWAY = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s"
"""Date, server and request id are told by the gateway itself: it would read them only to write its own."""


class Keeper(Interface):
    """Keeps something of every answer. While it is `holding`, it may wait for `flush`."""

    holding: bool

    def flush(self) -> None:
        """Write down what was held; never raises."""
        ...


class Turn:
    """The answers of one turn of the event loop: kept by one write, then sent; a gateway's by several."""

    def __init__(self) -> None:
        self.keeper: Keeper | None = None
        self._answers: list[tuple[Any, bytes]] = []

    def asked(self, lane: Lane, headers: Mapping[bytes, bytes], body: bytes) -> Answer | None:
        """The lane's answer; what is to be kept of it is held until the turn ends."""
        keeper = self.keeper
        if keeper is None:
            return lane(headers, body)
        keeper.holding = True
        try:
            answer = lane(headers, body)
        finally:
            keeper.holding = False
        if answer is None:
            keeper.flush()
        return answer

    def send(self, transport: Any, answer: bytes, loop: asyncio.AbstractEventLoop, *, most: int) -> None:
        """When the turn ends, or there are `most` of them."""
        self._answers.append((transport, answer))
        if len(self._answers) >= most:
            self.end()
        elif len(self._answers) == 1:
            loop.call_soon(self.end)

    def end(self) -> None:
        """Keep, then send."""
        if self.keeper is not None:
            self.keeper.flush()
        answers, self._answers = self._answers, []
        for transport, answer in answers:
            if not transport.is_closing():
                transport.write(answer)


class Protocol(HttpToolsProtocol):
    """One connection. Uvicorn's, with a look at each request before it is made an ASGI one."""

    def __init__(self, *arguments: Any, lanes: Lanes, turn: Turn, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._lanes, self._turn = lanes, turn
        self._lane: Lane | None = None
        self._body = b""
        self._under_way = False
        self._answered_at = 0.0
        self._idle_timer: asyncio.TimerHandle | None = None
        self._heads: Any = None
        self._head = b""

    def on_message_begin(self) -> None:
        """The scope is made when it turns out to be needed."""
        self.url, self.headers, self.expect_100_continue = b"", [], False
        self._lane, self._under_way = None, True

    def on_headers_complete(self) -> None:
        """Whose request this is."""
        lane = self._lanes.get(self.url)
        if lane is not None and self._is_plain():
            self._lane, self._body = lane, b""
        else:
            self._go_usual_road()

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        if self._lane is None:
            super().on_body(body)
            return
        self._body = self._body + body if self._body else body
        if len(self._body) > MOST_BYTES:
            self._leave_lane()

    def on_message_complete(self) -> None:
        """The request is here."""
        self._under_way = False
        if self._lane is not None:
            answer = self._turn.asked(self._lane, dict(self.headers), self._body)
            if answer is not None:
                self._send(answer)
                return
            self._leave_lane()
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """What was asked before is answered before."""
        self._turn.end()
        super().send_400_response(msg)

    def shutdown(self) -> None:
        """The server stops: a request under way is answered first, which the usual road sees to."""
        self._turn.end()
        if self._lane is not None and self._under_way:
            self._leave_lane()
        super().shutdown()

    def connection_lost(self, exc: Exception | None) -> None:
        """The end."""
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        super().connection_lost(exc)

    def _is_plain(self) -> bool:
        parser = self.parser
        return (
            parser.get_method() == b"POST"
            and parser.get_http_version() == "1.1"
            and parser.should_keep_alive()
            and not parser.should_upgrade()
            and not self.expect_100_continue
            and not self.flow.write_paused
            and not self.transport.is_closing()
            and (self.cycle is None or self.cycle.response_complete)
        )

    def _is_between(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _leave_lane(self) -> None:
        self._lane = None
        self._go_usual_road()
        super().on_body(self._body)

    def _go_usual_road(self) -> None:
        """What Uvicorn would have noted by now, and what it does next."""
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        self.headers.extend(headers)
        super().on_headers_complete()

    def _send(self, answer: Answer) -> None:
        asker, content = answer
        if self._is_gateway:
            whole = TO_GATEWAY % (len(content), content)
        else:
            whole = ANSWER % (self._usual_head(), len(content), asker.encode(), content)
        self._turn.send(self.transport, whole, self.loop, most=self._most_together())
        self.server_state.total_requests += 1
        self._answered_at = self.loop.time()
        if self._idle_timer is None:
            self._idle_timer = self.loop.call_later(self.timeout_keep_alive, self._close_if_idle)

    def _usual_head(self) -> bytes:
        if self._heads is not self.server_state.default_headers:  # another one every second
            self._heads = self.server_state.default_headers
            self._head = b"".join(b"%s: %s\r\n" % header for header in self._heads)
        return self._head

    def _most_together(self) -> int:
        """Who is alone waits for nobody."""
        return 1 if len(self.connections) == 1 else PORTION if self._is_gateway else sys.maxsize

    @property
    def _is_gateway(self) -> bool:
        """Only a gateway comes by the Unix socket, and has no address."""
        return self.client is None

    def _close_if_idle(self) -> None:
        """One timer that looks again instead of one for every request. Uvicorn's own is set after its answers."""
        left = self._answered_at + self.timeout_keep_alive - self.loop.time()
        waits = not self._under_way and self._is_between() and self.timeout_keep_alive_task is None
        if waits and left <= 0:
            self.timeout_keep_alive_handler()
        else:
            self._idle_timer = self.loop.call_later(left if left > 0 else self.timeout_keep_alive, self._close_if_idle)
