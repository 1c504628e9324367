"""What cannot work is refused with words that say what is wrong; the README says what to do about each."""

import os
import subprocess
from collections.abc import Iterator

import pytest

from scripts.containers.project import ports
from tests.containers.conftest import ROOT, Containers
from tests.docker_compose import with_compose

OTHER = "refused"
pytestmark = with_compose


def compose(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """`docker compose WORDS` of a project that is going to fail."""
    command = ["docker", "compose", "-p", OTHER, *words]
    return subprocess.run(
        command, cwd=ROOT, env={**os.environ, **variables}, text=True, capture_output=True, check=False
    )


@pytest.fixture
def refused() -> Iterator[None]:
    """Nothing is left of it."""
    yield
    assert compose("down", "--volumes", "--timeout", "1").returncode == 0


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("PORT", "abc", "hostPort: abc"),
        ("PORT_MLFLOW", "abc", "hostPort: abc"),
        ("BIND", "nonsense", "ip address: nonsense"),
        ("CPUS", "many", 'cpus: failed to cast to expected type: strconv.ParseFloat: parsing "many"'),
    ],
)
def test_compose_refuses_what_it_cannot_read(variable: str, value: str, said: str) -> None:
    done = compose("config", "--quiet", **{variable: value})
    assert done.returncode != 0
    assert said in done.stderr


def test_a_taken_port_is_named(containers: Containers, refused: None) -> None:
    port = containers.compose("port", "gateway", "8080").strip().rpartition(":")[2]
    free = {name: str(number) for name, number in ports(ROOT, 30080).items()} | {"PORT": port}
    done = compose("up", "--detach", "--no-build", "--no-deps", "gateway", **free)
    assert done.returncode != 0
    assert f":{port} failed: port is already allocated" in done.stderr


@pytest.mark.parametrize(
    ("variable", "said"),
    [
        ("REQUIRED_MODELS=nobody", "REQUIRED_MODELS=nobody: nobody is none of "),
        ("MEMORY_GB=100000", "100000 are needed"),
        ("MEMORY_GB=plenty", "MEMORY_GB=plenty: Input should be a valid number"),
    ],
)
def test_preflight_refuses_before_anything_starts(containers: Containers, variable: str, said: str) -> None:
    words = [
        "docker",
        "compose",
        "-p",
        containers.project,
        "run",
        "--rm",
        "--no-deps",
        "-T",
        "-e",
        variable,
        "preflight",
    ]
    done = subprocess.run(words, cwd=ROOT, text=True, capture_output=True, check=False)
    assert done.returncode == 2
    assert said in done.stderr


def test_a_killed_container_is_told_from_one_that_failed(containers: Containers) -> None:
    """What the README says to look for when memory runs out."""
    program = "x = bytearray(200 << 20); x[::4096] = b'1' * len(x[::4096])"
    command = ["docker", "run", "--name", f"{OTHER}-memory", "--memory=32m", "--memory-swap=32m", "--network=none"]
    entry = ["--entrypoint=python", containers.image("service"), "-c", program]
    done = subprocess.run([*command, *entry], text=True, capture_output=True, check=False)
    state = containers.docker("inspect", "--format", "{{.State.ExitCode}} {{.State.OOMKilled}}", f"{OTHER}-memory")
    containers.docker("rm", f"{OTHER}-memory")
    assert done.returncode == 137
    assert state.split() == ["137", "true"]
