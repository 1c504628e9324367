"""What Docker made of compose.yaml."""

import json

import pytest

from tests.containers.conftest import Containers

POWERLESS_ROOT = {"registry-1"}
"""Their image knows no other user, and their volume is root's; without capabilities that is all they may change."""


def one_shots(containers: Containers) -> set[str]:
    """Who ends: the services that nobody asks for their health."""
    services = json.loads(containers.compose("config", "--format", "json"))["services"]
    running = {name: it for name, it in services.items() if it.get("deploy", {}).get("replicas") != 0}
    return {name for name, it in running.items() if "healthcheck" not in it}


def reaches(containers: Containers, service: str, host: str, port: int) -> bool:
    program = f"import socket; socket.create_connection(({host!r}, {port}), timeout=3)"
    done = containers.inside(service, program)
    assert done.returncode == 0 or "create_connection" in done.stderr, done.stderr
    return done.returncode == 0


def test_everything_is_healthy_or_has_ended_well(containers: Containers) -> None:
    states = {name: found["State"] for name, found in containers.inspected().items()}
    ended = {name: state["ExitCode"] for name, state in states.items() if not state["Running"]}
    assert ended == {f"{name}-1": 0 for name in one_shots(containers)}
    assert {"preflight-1", "keys-1", "seed-1"} <= ended.keys()
    healthy = {name for name, state in states.items() if state.get("Health", {}).get("Status") == "healthy"}
    assert healthy == states.keys() - ended.keys()


def test_nothing_was_killed_or_started_again(containers: Containers) -> None:
    found = containers.inspected()
    assert {
        name: it["RestartCount"] for name, it in found.items() if it["RestartCount"] or it["State"]["OOMKilled"]
    } == {}


def test_nobody_is_root_and_nobody_may_become_it(containers: Containers) -> None:
    for name, found in containers.inspected().items():
        assert found["Config"]["User"] not in ("", "0", "root") or name in POWERLESS_ROOT, name
        assert found["HostConfig"]["SecurityOpt"] == ["no-new-privileges:true"], name
        assert found["HostConfig"]["CapDrop"] == ["ALL"], name
        assert found["HostConfig"]["Memory"] > 0, name


def address(containers: Containers, service: str) -> str:
    (found,) = containers.inspected(service).values()
    (network,) = found["NetworkSettings"]["Networks"].values()
    return str(network["IPAddress"])


@pytest.mark.parametrize("service", ["web", "texts"])
def test_who_needs_no_data_cannot_reach_it(containers: Containers, service: str) -> None:
    assert reaches(containers, service, "items", 8120)
    for name, port in (("postgres", 8320), ("kafka", 8340)):
        assert not reaches(containers, service, name, port)
        assert not reaches(containers, service, address(containers, name), port)


@pytest.mark.parametrize("service", ["web", "items", "trainer", "mlflow"])
def test_nobody_reaches_the_world(containers: Containers, service: str) -> None:
    assert not reaches(containers, service, "1.1.1.1", 53)
