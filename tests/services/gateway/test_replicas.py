"""Two replicas of inference-sync behind the gateway: who answers, and what is seen when one dies."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import pytest

from services.gateway_config.main import GatewaySettings
from services.gateway_config.routes import AFFINITY
from tests.servers import eventually, free_port
from tests.services.gateway.conftest import Gateway, gateway_to, replica
from tests.services.gateway.test_rules import GOOD, is_problem

Replicated = tuple[Gateway, list[subprocess.Popen[bytes]]]


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A socket's path may not be long."""
    with TemporaryDirectory(dir="/tmp") as folder:
        yield Path(folder)


@pytest.fixture(params=["TCP", "Unix sockets"])
def two_replicas(
    request: pytest.FixtureRequest, envoy: str, jwks_file: Path, tmp_path: Path, short_folder: Path
) -> Iterator[Replicated]:
    """A gateway of its own, because its replicas die."""
    first, second = free_port(), free_port()
    urls = f"http://127.0.0.1:{first},http://127.0.0.1:{second}"
    sockets = short_folder if request.param == "Unix sockets" else None
    more = [str(sockets)] if sockets else []

    def settings() -> GatewaySettings:
        return GatewaySettings(
            jwks_file=jwks_file,
            listen_host="127.0.0.1",
            inference_sync_url=urls,
            socket_folder=sockets,
            light_models="light,lighter",
        )

    with (
        replica(str(first), *more) as one,
        replica(str(second), *more) as two,
        gateway_to(envoy, tmp_path, settings) as gateway,
    ):
        eventually(lambda: gateway.healthy("inference-sync") == gateway.healthy(AFFINITY) == 2, "two healthy replicas")
        yield gateway, [one, two]


def port_of(process: subprocess.Popen[bytes]) -> str:
    """Where it listens."""
    assert isinstance(process.args, list)
    return str(process.args[4])


def who_answers(gateway: Gateway, path: str) -> list[str]:
    """Who answers, one time after the other."""
    with httpx.Client(base_url=gateway.url, headers=GOOD, timeout=20) as http:
        return [http.post(path, content=b"x").json()["service"] for _ in range(20)]


@pytest.mark.parametrize("path", ["/v2/models/light/infer", "/v2/models/lighter/versions/1/infer"])
def test_a_light_model_is_answered_by_one_replica(two_replicas: Replicated, path: str) -> None:
    assert len(set(who_answers(two_replicas[0], path))) == 1


@pytest.mark.parametrize("path", ["/v2/models/lightest/infer", "/v2/models/light/predict", "/v2/models/a/infer"])
def test_every_other_one_by_both(two_replicas: Replicated, path: str) -> None:
    found = who_answers(two_replicas[0], path)
    assert sorted(found.count(name) for name in set(found)) == [10, 10]


@pytest.mark.parametrize("size", [1000, 3_000_000])
@pytest.mark.parametrize("path", ["/v2/models/a/predict", "/v2/models/light/infer"])
def test_the_death_of_a_replica_is_not_seen(two_replicas: Replicated, path: str, size: int) -> None:
    gateway, (one, two) = two_replicas
    if who_answers(gateway, path)[-1] == f"inference-sync-{port_of(two)}":
        one, two = two, one
    found: list[int] = []
    stop = threading.Event()

    def client() -> None:
        with httpx.Client(base_url=gateway.url, headers=GOOD, timeout=20) as http:
            while not stop.is_set():
                found.append(http.post(path, content=b"x" * size).status_code)

    clients = [threading.Thread(target=client) for _ in range(4)]
    for thread in clients:
        thread.start()
    eventually(lambda: len(found) > 100, "answers of both")
    os.kill(one.pid, signal.SIGKILL)
    killed_at = len(found)
    eventually(lambda: gateway.healthy("inference-sync") == 1, "the dead replica to be left out")
    eventually(lambda: len(found) > killed_at + 100, "answers of the other")
    stop.set()
    for thread in clients:
        thread.join()
    assert set(found) == {200}
    os.kill(two.pid, signal.SIGKILL)
    eventually(lambda: gateway.healthy("inference-sync") == 0, "both to be left out")
    started = time.monotonic()
    is_problem(httpx.get(f"{gateway.url}/v2", headers=GOOD), 503)
    assert time.monotonic() - started < 1


def test_a_replica_that_comes_back_is_used_again(two_replicas: Replicated) -> None:
    gateway, (one, _) = two_replicas
    os.kill(one.pid, signal.SIGKILL)
    one.wait()
    eventually(lambda: gateway.healthy("inference-sync") == 1, "the dead replica to be left out")
    assert isinstance(one.args, list)
    with replica(*map(str, one.args[4:])):
        eventually(lambda: gateway.healthy("inference-sync") == 2, "the replica to be back")
        names: set[str] = set()

        def both() -> bool:
            names.add(httpx.get(f"{gateway.url}/v2", headers=GOOD).json()["service"])
            return len(names) == 2

        eventually(both, "answers of both")
