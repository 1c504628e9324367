"""From a figure to the webhook: a real Prometheus, a real Alertmanager, and somebody who is told."""

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from scripts.runner.parts import packaged
from services.prometheus_config.main import PrometheusSettings, rendered
from tests.servers import eventually, free_port, running

WITHIN = 45.0
"""Seconds; on a calm machine each step takes two."""


@dataclass
class Stage:
    """A service that shows one figure, and the receiver of alerts, in one small server."""

    refused: int = 0
    told: list[dict[str, Any]] = field(default_factory=list)

    def metrics(self) -> bytes:
        return f'model_champion_refused{{model="image_quick"}} {self.refused}\n'.encode()

    def alerts(self, status: str) -> list[dict[str, Any]]:
        found = (alert for notification in self.told for alert in notification["alerts"])
        return [alert for alert in found if alert["status"] == status]


@contextmanager
def served(stage: Stage) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(stage.metrics())

        def do_POST(self) -> None:
            stage.told.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self._answer(b"")

        def _answer(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/plain; version=0.0.4")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/-/ready").status_code == 200
    except httpx.TransportError:
        return False


def impatient(text: str) -> str:
    """The platform's own files, without the waiting."""
    lines = [line for line in text.splitlines() if not line.strip().startswith("for: ")]
    return "\n".join(lines).replace("group_wait: 2s", "group_wait: 0s").replace("interval: 30s", "interval: 1s")


@contextmanager
def monitored(folder: Path, stage: Stage) -> Iterator[str]:
    """Prometheus asks the stage, and Alertmanager tells it; the address of Prometheus."""
    prometheus, alertmanager = (f"127.0.0.1:{free_port()}" for _ in range(2))
    with ExitStack() as stack:
        url = stack.enter_context(served(stage))
        made = PrometheusSettings(
            prometheus_config=folder / "prometheus",
            alertmanager_config=folder / "alertmanager",
            alertmanager_url=f"http://{alertmanager}",
            alert_webhook_url=url,
            scrape_seconds=1,
            scrape={"inference_sync": url},
        )
        for path, text in rendered(made).items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(impatient(text))
        commands = {
            alertmanager: [
                packaged.program("alertmanager"),
                f"--config.file={folder}/alertmanager/alertmanager.yml",
                f"--storage.path={folder}/kept",
                "--cluster.listen-address=",
                f"--web.listen-address={alertmanager}",
            ],
            prometheus: [
                packaged.program("prometheus"),
                f"--config.file={folder}/prometheus/prometheus.yml",
                f"--storage.tsdb.path={folder}/metrics",
                f"--web.listen-address={prometheus}",
            ],
        }
        for address, command in commands.items():
            started = running(command, lambda address=address: ready(f"http://{address}"), cwd=packaged.folder())  # type: ignore[misc]
            stack.enter_context(started)
        yield f"http://{prometheus}"


@pytest.mark.skipif(
    bool(packaged.missing("prometheus") or packaged.missing("alertmanager")), reason="they are not offered here"
)
def test_an_alert_comes_and_goes(tmp_path: Path) -> None:
    stage = Stage()
    with monitored(tmp_path, stage) as prometheus:

        def asked(query: str) -> list[Any]:
            answer = httpx.get(f"{prometheus}/api/v1/query", params={"query": query}).json()
            return list(answer["data"]["result"])

        eventually(lambda: bool(asked("model_champion_refused == 0")), "the first figure", WITHIN)
        assert stage.told == []
        stage.refused = 1
        eventually(lambda: bool(stage.alerts("firing")), "the alert", WITHIN)
        (alert, *_) = stage.alerts("firing")
        assert alert["labels"] == {
            "alertname": "ChampionRefused",
            "model": "image_quick",
            "service": "inference-sync",
            "severity": "warning",
        }
        assert alert["annotations"]["summary"] == "inference-sync refuses the champion of image_quick"
        assert stage.told[0]["groupLabels"] == {"alertname": "ChampionRefused", "service": "inference-sync"}
        stage.refused = 0
        eventually(lambda: bool(stage.alerts("resolved")), "the end of the alert", WITHIN)
