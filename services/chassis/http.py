"""What happens around every request: its id, its metrics, its line in the log, and what nobody expected."""

import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException

from services.chassis.errors import unexpected
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


class AroundRequests:
    """ASGI middleware: request id, metrics, log line, a problem for the unexpected."""

    def __init__(self, app: App, metrics: Metrics, max_body_bytes: int) -> None:
        self.app, self.metrics, self.max_body_bytes = app, metrics, max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        token = request_id.set(usable(headers.get("x-request-id")) or str(new_id()))
        watched = _Watched(send, request_id.get() or "")
        started = time.perf_counter()
        try:
            await self._guarded(scope, _limited(receive, headers, self.max_body_bytes), watched)
        finally:
            self._tell(scope, watched.status, time.perf_counter() - started)
            request_id.reset(token)

    async def _guarded(self, scope: Scope, receive: Receive, send: "_Watched") -> None:
        try:
            await self.app(scope, receive, send)
        except Exception as error:
            response = unexpected(scope["method"], scope["path"], error)
            if send.started:
                raise
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
        self._send, self._request, self.status, self.started = send, request, 500, False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.started = message["status"], True
            MutableHeaders(scope=message)["x-request-id"] = self._request
        await self._send(message)


def _limited(receive: Receive, headers: Headers, limit: int) -> Receive:
    length = headers.get("content-length", "0")
    seen = int(length) if length.isdigit() and int(length) > limit else 0

    async def counting() -> Message:
        nonlocal seen
        message = await receive() if seen <= limit else {}
        seen += len(message.get("body", b""))
        if seen > limit:
            # Of the exceptions raised while FastAPI reads a body, only this kind reaches the handlers.
            raise HTTPException(413, f"At most {limit} bytes are taken.")
        return message

    return counting


def usable(given: str | None) -> str | None:
    """A request id that may be passed on."""
    return given if given and len(given) <= 64 and given.isascii() and given.isprintable() else None
