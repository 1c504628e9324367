"""Monitoring with real PostgreSQL, over a registry, a trainer and a Grafana made up for the test."""

import base64
import json
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from services.chassis.database import Database
from services.chassis.service import Service
from services.monitoring.main import build
from tests.conftest import MakeBackends, MakeDatabase

PASSWORD = "grafana's own"


@dataclass
class Neighbours:
    """What the registry and the trainer say; None is silence."""

    champions: dict[str, str] | None = field(default_factory=dict)
    runs: list[dict[str, Any]] | None = field(default_factory=list)
    page: int = 1
    grafana: str = "http://127.0.0.1:1"

    def transport(self) -> httpx.AsyncBaseTransport:
        """Registry and trainer are answered here; Grafana is asked over the network."""
        return _Transport(self)


class _Transport(httpx.AsyncBaseTransport):
    def __init__(self, neighbours: Neighbours) -> None:
        self._neighbours = neighbours

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        known = {"mlflow": self._registry, "trainer": self._trainer}
        if answer := known.get(request.url.host):
            return answer(request)
        async with httpx.AsyncClient() as http:
            found = await http.get(request.url)
            return httpx.Response(found.status_code, content=found.content)

    def _registry(self, request: httpx.Request) -> httpx.Response:
        if self._neighbours.champions is None:
            raise httpx.ConnectError("no registry", request=request)
        start, names = int(request.url.params.get("page_token", 0)), sorted(self._neighbours.champions)
        shown = names[start : start + self._neighbours.page]
        models = [{"name": name, "aliases": self._aliases(name)} for name in shown]
        more = {"next_page_token": str(start + len(shown))} if start + len(shown) < len(names) else {}
        return httpx.Response(200, json=({"registered_models": models} if models else {}) | more)

    def _aliases(self, name: str) -> list[dict[str, str]]:
        assert self._neighbours.champions is not None
        other = {"alias": "challenger", "version": "99"}
        version = self._neighbours.champions[name]
        return [other, {"alias": "champion", "version": version}] if version else [other]

    def _trainer(self, request: httpx.Request) -> httpx.Response:
        if self._neighbours.runs is None:
            return httpx.Response(503)
        return httpx.Response(200, json={"runs": self._neighbours.runs})


@pytest.fixture
def neighbours() -> Neighbours:
    """Nothing is released and nothing was trained."""
    return Neighbours()


@pytest.fixture
async def pool(database: MakeDatabase) -> Database:
    """The service's own database."""
    return await database("monitoring")


@pytest.fixture
def monitoring(
    pool: Database, backends: MakeBackends, neighbours: Neighbours, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], Service]:
    """`monitoring()`: the service, started anew."""
    (tmp_path / "grafana").write_text(PASSWORD + "\n")

    def made() -> Service:
        monkeypatch.setenv("GRAFANA_URL", neighbours.grafana)
        monkeypatch.setenv("GRAFANA_PASSWORD_FILE", str(tmp_path / "grafana"))
        monkeypatch.setenv("MONITORING_FOLLOW_SECONDS", "0.05")
        return build(backends(database=pool, transport=neighbours.transport()))

    return made


@dataclass
class FakeGrafana:
    """Keeps annotations as Grafana does, and loses answers if it is told to."""

    url: str = ""
    kept: list[dict[str, Any]] = field(default_factory=list)
    lost: int = 0

    def take(self, note: dict[str, Any]) -> int | None:
        """The id; None when the answer gets lost."""
        self.kept.append({"id": len(self.kept) + 1} | note)
        if self.lost:
            self.lost -= 1
            return None
        return len(self.kept)


@pytest.fixture
def grafana(neighbours: Neighbours) -> Iterator[FakeGrafana]:
    """Grafana's part of the API that is used, over real HTTP."""
    fake = FakeGrafana()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(fake))
    fake.url = neighbours.grafana = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield fake
    server.shutdown()
    thread.join()
    server.server_close()


def _handler(fake: FakeGrafana) -> type[BaseHTTPRequestHandler]:
    allowed = "Basic " + base64.b64encode(f"admin:{PASSWORD}".encode()).decode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = urlsplit(self.path)
            if path.path == "/api/health":
                self._answer(200, {"database": "ok"})
            elif self.headers["Authorization"] != allowed:
                self._answer(401, {"message": "Unauthorized"})
            else:
                wanted = set(parse_qs(path.query).get("tags", []))
                self._answer(200, [note for note in fake.kept if wanted <= set(note["tags"])])

        def do_POST(self) -> None:
            note = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if self.headers["Authorization"] != allowed:
                self._answer(401, {"message": "Unauthorized"})
            elif known := fake.take(note):
                self._answer(200, {"id": known, "message": "Annotation added"})
            else:
                self._answer(500, {"message": "lost"})

        def _answer(self, status: int, body: Any) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments: Any) -> None:
            """Nothing is said."""

    return Handler


Header = Callable[..., dict[str, str]]
Listed = Callable[[httpx.AsyncClient, str], Awaitable[list[dict[str, Any]]]]


@pytest.fixture
def listed(signed_in: Header) -> Listed:
    """`await listed(http, "alerts")`: what an operator sees."""

    async def asked(http: httpx.AsyncClient, what: str) -> list[dict[str, Any]]:
        answer = await http.get(f"/api/monitoring/{what}", headers=signed_in(roles=("operator",)))
        assert answer.status_code == 200, answer.text
        name = what.split("?")[0]
        found: list[dict[str, Any]] = answer.json()[name]
        return found

    return asked
