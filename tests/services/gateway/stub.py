"""A service that tells what it was asked: `python -m tests.services.gateway.stub NAME PORT [SOCKET_FOLDER]`."""

import json
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import TCPServer
from urllib.parse import parse_qs, urlsplit

from services.chassis.ports import socket_path


class Stub(ThreadingHTTPServer):
    """Answers with its name, the method, path and headers it saw, and the size of the body."""

    daemon_threads = True

    def __init__(self, name: str, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Echo)
        self.name = name
        self.asked: list[tuple[str, str]] = []
        self.go_on = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Beside(Stub):
    """The same on a Unix socket."""

    address_family = socket.AF_UNIX

    def __init__(self, name: str, path: Path) -> None:
        path.unlink(missing_ok=True)
        self._path = path
        super().__init__(name)

    def server_bind(self) -> None:
        """HTTP's own would look for a name and a port."""
        self.server_address = str(self._path)  # type: ignore[assignment]
        TCPServer.server_bind(self)


class Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body go out together, as our hosts send them: half an answer cannot be asked for again.
    wbufsize = -1
    server: Stub

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self.query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.server.asked.append((self.command, parts.path))
        size = len(self.rfile.read(int(self.headers.get("content-length", 0))))
        if "break" in self.query:
            self.close_connection = True
        elif "wait" in self.query:
            self.server.go_on.wait(30)
            self.close_connection = True
        elif parts.path.endswith("/events"):
            self._stream()
        else:
            self._tell(size)

    do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815

    def _tell(self, size: int) -> None:
        seen = {"service": self.server.name, "method": self.command, "path": self.path, "body": size}
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = json.dumps({**seen, "headers": headers, "padding": "x" * int(self.query.get("size", 0))}).encode()
        self.send_response_only(int(self.query.get("status", 200)))  # no date, no server
        self.send_header("Content-Type", self.query.get("type", "application/json"))
        self.send_header("Content-Length", str(len(body)))
        if "policy" in self.query:
            self.send_header("Content-Security-Policy", self.query["policy"])
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else body)

    def _stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(b"data: first\n\n")
        self.wfile.flush()
        self.server.go_on.wait(30)
        self.wfile.write(b"data: second\n\n")
        self.close_connection = True

    def log_message(self, format: str, *arguments: object) -> None:
        """Nobody reads it."""


if __name__ == "__main__":
    name, port, *folder = sys.argv[1:]
    for path in (socket_path(Path(there), int(port)) for there in folder):
        threading.Thread(target=Beside(name, path).serve_forever, daemon=True).start()
    Stub(name, int(port)).serve_forever()
