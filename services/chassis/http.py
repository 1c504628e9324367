"""What happens around every request: its id, its size limit, its metrics, its line in the log."""

import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.datastructures import Headers, MutableHeaders

from services.chassis.errors import TooLarge, problem_response
from services.chassis.ids import new_id
from services.chassis.logs import request_id
from services.chassis.metrics import Metrics

log = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

QUIET = ("/health/", "/metrics")


class BodyTooLarge(Exception):
    """The body grew past the limit while it was read."""


class AroundRequests:
    """ASGI middleware: request id, body limit, metrics, log line."""

    def __init__(self, app: App, metrics: Metrics, max_body_bytes: int) -> None:
        self.app, self.metrics, self.max_body_bytes = app, metrics, max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        token = request_id.set(_usable(headers.get("x-request-id")) or str(new_id()))
        watched = _Watched(send, request_id.get() or "")
        started = time.perf_counter()
        try:
            await self._limited(scope, headers, receive, watched)
        finally:
            self._tell(scope, watched.status, time.perf_counter() - started)
            request_id.reset(token)

    async def _limited(self, scope: Scope, headers: Headers, receive: Receive, send: Send) -> None:
        length = headers.get("content-length", "0")
        if length.isdigit() and int(length) > self.max_body_bytes:
            await self._refuse(scope, receive, send)
            return
        try:
            await self.app(scope, _counted(receive, self.max_body_bytes), send)
        except BodyTooLarge:
            await self._refuse(scope, receive, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        title = TooLarge.__doc__ or ""
        response = problem_response(
            413, title, f"At most {self.max_body_bytes} bytes are taken.", instance=scope["path"]
        )
        await response(scope, receive, send)

    def _tell(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", None) or "unmatched"
        if not scope["path"].startswith(QUIET):
            self.metrics.requests.labels(scope["method"], route, str(status)).inc()
            self.metrics.request_seconds.labels(scope["method"], route).observe(seconds)
        if scope["method"] not in ("GET", "HEAD"):
            log.info(
                "%s %s",
                scope["method"],
                scope["path"],
                extra={"action": "request.served", "status": status, "ms": round(seconds * 1000, 1)},
            )


class _Watched:
    """Notes the status and answers with the request id."""

    def __init__(self, send: Send, request: str) -> None:
        self._send, self._request, self.status = send, request, 500

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            MutableHeaders(scope=message)["x-request-id"] = self._request
        await self._send(message)


def _counted(receive: Receive, limit: int) -> Receive:
    seen = 0

    async def counting() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            raise BodyTooLarge
        return message

    return counting


def _usable(given: str | None) -> str | None:
    return given if given and len(given) <= 64 and given.isascii() and given.isprintable() else None
