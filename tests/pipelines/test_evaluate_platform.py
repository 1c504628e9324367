"""The held-out items go through a platform's public API and are counted by what became of them."""

import argparse
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from pipelines import evaluate_platform
from pipelines.evaluate_platform import Ended
from pipelines.platform_client import NoPlatform, client

TOKEN = "a-token"


class Platform(BaseHTTPRequestHandler):
    """Lets the user in and accepts items; each is published unless its title says otherwise."""

    titles: dict[str, str]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.path == "/api/identity/token":
            right = b"username=hanako" in body and b"password=secret" in body
            return self.say(200 if right else 401, {"access_token": TOKEN, "detail": "wrong password"})
        assert self.headers["authorization"] == f"Bearer {TOKEN}"
        if self.path == "/api/images":
            return self.say(201, {"id": "picture"})
        number = str(len(self.titles))
        self.titles[number] = json.loads(body)["title"]
        return self.say(201, {"id": number})

    def do_GET(self) -> None:
        number = self.path.split("/")[3]
        if self.path.endswith("/events"):
            return self.say(200, {"state": "done"})
        state = "rejected" if "bad" in self.titles[number] else "published"
        return self.say(200, {"id": number, "state": state, "screening": {"category": {"label": "cat"}}})

    def say(self, status: int, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@pytest.fixture
def address() -> Iterator[str]:
    handler = type("Fresh", (Platform,), {"titles": {}})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def arguments(address: str, folder: Path, password: str = "secret") -> argparse.Namespace:
    accounts = folder / "accounts.json"
    known = [
        {"name": "boss", "password": "x", "roles": ["operator"]},
        {"name": "hanako", "password": password, "roles": []},
    ]
    accounts.write_text(json.dumps(known))
    return argparse.Namespace(platform=address, accounts=accounts, token=None)


def test_an_item_is_registered_and_its_end_awaited(address: str, tmp_path: Path) -> None:
    (tmp_path / "1.jpg").write_bytes(b"picture")
    line = {"picture": "1.jpg", "title": "bad", "description": "", "violation": "banner", "category": None}
    with client(arguments(address, tmp_path)) as http:
        assert evaluate_platform.ended(http, tmp_path, line).state == "rejected"
        assert evaluate_platform.ended(http, tmp_path, line | {"title": "fine"}).state == "published"


def test_a_wrong_password_ends_it(address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(NoPlatform), client(arguments(address, tmp_path, "guess")):
        pass
    assert "does not let hanako in: 401 wrong password" in capsys.readouterr().err


def test_what_is_refused_stops_with_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    refused = httpx.Response(422, json={"detail": "too wide"}, request=httpx.Request("POST", "http://p/api/images"))
    with pytest.raises(NoPlatform):
        evaluate_platform.accepted(refused)
    assert "POST /api/images: 422 too wide" in capsys.readouterr().err


def test_the_report_counts_what_went_wrong() -> None:
    def one(violation: str, state: str, said: str = "cat") -> Ended:
        screening = {"category": {"label": said}}
        return Ended({"violation": violation, "category": "cat"}, {"id": "1", "state": state, "screening": screening})

    text = evaluate_platform.report(
        [
            one("ok", "published"),
            one("ok", "rejected", "dog"),
            one("banner", "published"),
            one("blank", "rejected"),
            one("blank", "screening"),
        ]
    )
    assert "violating items published: 1 (33.3%); good items rejected: 1 (50.0%)" in text
    assert "category right: 1 of 2 good items (50.0%)" in text
    assert "| banner | 1 | 0 | 0 |" in text
    assert "not decided in time: 1" in text
