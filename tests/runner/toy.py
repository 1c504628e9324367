"""A small program that behaves as told, for the runner's tests: python tests/runner/toy.py WHAT NAME ..."""

import http.server
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any, ClassVar


def note(text: str) -> None:
    """One line in the events file that all toys share."""
    with Path(os.environ["EVENTS"]).open("a") as events:
        events.write(text + "\n")
    print(text, flush=True)


def serve(name: str, port: str, delay: str = "0") -> None:
    """An HTTP server that opens its port late; asks $NEEDS, which must answer already."""
    number = int(port) + int(os.environ["PORT_OFFSET"]) + int(os.environ["REPLICA"])
    for url in filter(None, os.environ.get("NEEDS", "").split(",")):
        urllib.request.urlopen(url, timeout=2).read()
        note(f"{name} got {url}")
    opened = threading.Event()
    opened.wait(float(delay))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", number), Answer)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    note(f"{name} serves {number}")
    server.serve_forever()
    note(f"{name} stops")


class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(os.environ["REPLICA"].encode())

    def log_message(self, *_: object) -> None:
        return None


def tell(name: str, port: str) -> None:
    """An HTTP server that says what it is."""
    number = int(port) + int(os.environ["PORT_OFFSET"]) + int(os.environ["REPLICA"])
    Telling.about = about()
    server = http.server.HTTPServer(("127.0.0.1", number), Telling)
    note(f"{name} tells")
    server.serve_forever()


def about() -> dict[str, Any]:
    """Before anything is opened."""
    files = [file.name for file in list(Path("/proc/self/fd").iterdir()) if file.exists()]
    return {
        "pid": os.getpid(),
        "parent": os.getppid(),
        "session": os.getsid(0),
        "group": os.getpgid(0),
        "arguments": sys.argv[1:],
        "environment": dict(os.environ),
        "loaded": [name for name in ("fastapi", "psycopg") if name in sys.modules],
        "files": sorted(files),
        "drawn": drawn(),
    }


def drawn() -> list[str]:
    """Random numbers of every source."""
    import random
    import secrets
    import tempfile
    import uuid

    from uuid_utils import compat

    return [
        *(str(random.random()), str(uuid.uuid4()), secrets.token_hex(), tempfile.mktemp()),
        *(str(compat.uuid7()), str(compat.uuid4())),
    ]


class Telling(http.server.BaseHTTPRequestHandler):
    about: ClassVar[dict[str, Any]] = {}

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(self.child() if self.path == "/child" else self.about).encode())

    def child(self) -> dict[str, Any]:
        """What a program that it starts is given."""
        code = "import json, os; print(json.dumps({'environment': dict(os.environ)}))"
        return dict(json.loads(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout))

    def log_message(self, *_: object) -> None:
        return None


def ask(url: str) -> None:
    urllib.request.urlopen(url, timeout=2).read()


def once(name: str, code: str) -> None:
    note(f"{name} ends with {code}")
    sys.exit(int(code))


def flaky(name: str, path: str, times: str) -> None:
    """Fails so many times, then ends well."""
    counter = Path(path)
    done = int(counter.read_text()) if counter.is_file() else 0
    counter.write_text(str(done + 1))
    note(f"{name} try {done + 1}")
    sys.exit(0 if done >= int(times) else 1)


def stubborn(name: str) -> None:
    """Does not listen, and has a child that does not either."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if name != "child":
        child = subprocess.Popen([sys.executable, __file__, "stubborn", "child"])
        note(f"{name} has child {child.pid}")
    while True:
        time.sleep(60)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
