"""A service: an HTTP face, what wakes it, what it does in the background. Declared in `build`, run by `run`."""

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse
from prometheus_client import generate_latest

from services.chassis import errors
from services.chassis.at_once import Lane, Protocol, Turn
from services.chassis.backends import Backends
from services.chassis.http import App, AroundRequests
from services.chassis.metrics import Metrics
from services.chassis.neighbours import sockets
from services.chassis.outbox import Relay
from services.chassis.workers import Handler, Worker
from services.contracts import EventData

log = logging.getLogger(__name__)

Check = Callable[[], Awaitable[None]]
Loop = Callable[[], Coroutine[Any, Any, None]]
MAX_BODY_BYTES = 64 * 1024


class Service:
    """What `services/NAME/main.py` declares. `tag` heads its part of the merged OpenAPI document."""

    def __init__(
        self, name: str, backends: Backends, *, summary: str = "", max_body_bytes: int = MAX_BODY_BYTES
    ) -> None:
        self.name = name
        self.backends = backends
        self.metrics = Metrics()
        self.loops: list[Loop] = []
        self.ready_checks: dict[str, Check] = {}
        self._handlers: dict[type[EventData], Handler] = {}
        self._dead_letters: dict[type[EventData], Handler] = {}
        self._relay: Relay | None = None
        self.app = FastAPI(title=name, summary=summary, docs_url=None, redoc_url=None)
        self.front: App = self.app
        """What gets the requests first; a host puts a lane for the frequent ones there."""
        self.lanes: dict[bytes, Lane] = {}
        """What answers requests to an address even before that, if it can do so at once."""
        self.turn = Turn()
        self.app.state.verifier = backends.maybe_verifier
        errors.install(self.app)
        self.app.add_middleware(AroundRequests, metrics=self.metrics, max_body_bytes=max_body_bytes)
        self._health()

    def consumes(self, kind: type[EventData]) -> Callable[[Handler], Handler]:
        """Declare what wakes the service; one consumer group, named like the service."""

        def declared(handler: Handler) -> Handler:
            self._handlers[kind] = handler
            return handler

        return declared

    def consumes_dead_letters(self, kind: type[EventData]) -> Callable[[Handler], Handler]:
        """Declare what to do about events of that kind that failed for good."""

        def declared(handler: Handler) -> Handler:
            self._dead_letters[kind] = handler
            return handler

        return declared

    def relay(self) -> Relay:
        """The service sends events: its outbox is relayed. `wake()` it after a commit."""
        if self._relay is None:
            self._relay = Relay(self.backends.database, self.backends.bus, self.metrics)
            self.loops.append(self._relay.run)
        return self._relay

    def background(self, loop: Loop) -> Loop:
        """Declare something that runs as long as the service does; its end is the service's."""
        self.loops.append(loop)
        return loop

    def every(self, seconds: float) -> Callable[[Loop], Loop]:
        """Declare something to do again and again; a failure is logged and the next turn comes."""

        def declared(turn: Loop) -> Loop:
            async def turns() -> None:
                while True:
                    try:
                        await turn()
                    except Exception as error:
                        log.warning("%s: %r", turn.__name__.strip("_"), error, extra={"action": "turn.failed"})
                    await asyncio.sleep(seconds)

            self.loops.append(turns)
            return turn

        return declared

    def worker(self) -> Worker | None:
        """The consumer that was declared, if any."""
        if not self._handlers and not self._dead_letters:
            return None
        return Worker(self.backends.bus, self.name, self._handlers, self.metrics, dead_letters_of=self._dead_letters)

    def _health(self) -> None:
        if self.backends.maybe_database is not None:
            self.ready_checks["database"] = self._database_answers

        @self.app.get("/health/live", include_in_schema=False)
        async def _live() -> dict[str, str]:
            return {"status": "live"}

        @self.app.get("/health/ready", include_in_schema=False)
        async def _ready() -> JSONResponse:
            found = {name: await _outcome(check) for name, check in self.ready_checks.items()}
            for name, value in found.items():
                self.metrics.ready.labels(name).set(value == "ok")
            ready = all(value == "ok" for value in found.values())
            return JSONResponse({"status": "ready" if ready else "not ready", "checks": found}, 200 if ready else 503)

        @self.app.get("/metrics", include_in_schema=False)
        async def _metrics() -> Response:
            return Response(generate_latest(self.metrics.registry), media_type="text/plain; version=0.0.4")

    async def _database_answers(self) -> None:
        async with self.backends.database.connection(timeout=2) as connection:
            await connection.execute("SELECT 1")


async def _outcome(check: Check) -> str:
    try:
        await asyncio.wait_for(check(), timeout=3)
    except Exception as error:
        return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return "ok"


async def cancelled(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel until they have ended: `wait_for` of Python 3.11, which libraries use, may swallow a cancellation."""
    pending = {task for task in tasks if not task.done()}
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=1)


@contextlib.asynccontextmanager
async def beside(*loops: Loop) -> AsyncIterator[list[asyncio.Task[None]]]:
    """These loops run for the length of the block."""
    tasks = [asyncio.create_task(loop(), name=getattr(loop, "__qualname__", "loop")) for loop in loops]
    try:
        yield tasks
    finally:
        await cancelled(tasks)


async def run(service: Service, host: str, port: int, socket_folder: Path | None = None) -> None:
    """Serve until a signal comes, or until a part of the service ends by itself, which is a failure."""
    protocol: Any = partial(Protocol, lanes=service.lanes, turn=service.turn) if service.lanes else "httptools"
    config = uvicorn.Config(
        service.front,
        host=host,
        port=port,
        http=protocol,
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=3,
        server_header=False,
        proxy_headers=False,
    )
    server = uvicorn.Server(config)
    worker = service.worker()
    loops = [*service.loops, *([worker.run] if worker else [])]
    listening = sockets(socket_folder, host, port) if socket_folder else contextlib.nullcontext()
    with listening as opened:
        async with beside(*loops) as background:
            serving = asyncio.create_task(server.serve(opened), name="http")
            log.info("serving", extra={"action": "service.started", "port": port})
            await asyncio.wait([serving, *background], return_when=asyncio.FIRST_COMPLETED)
            failed = [task for task in background if task.done()]
            server.should_exit = True
            await serving
    for task in failed:
        task.result()
        raise RuntimeError(f"{task.get_name()} ended by itself")
    log.info("stopped", extra={"action": "service.stopped"})


def serve(build: Callable[[Backends], Service], name: str) -> None:
    """Open the backends, build the service, run it: what `python -m services NAME` does."""
    import uvloop

    from services.chassis import logs, ports
    from services.chassis.backends import open_backends
    from services.chassis.refusal import slips
    from services.chassis.settings import Settings

    settings = Settings()
    os.nice(settings.niceness)
    logs.configure(name, settings.log_format, settings.log_level)

    async def main() -> None:
        async with open_backends(settings) as backends:
            service = build(backends)
            for slip in slips():
                log.warning(slip, extra={"action": "settings.slip"})
            await run(service, settings.listen_host, ports.port(name), settings.socket_folder)

    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(main())
