"""What tests in containers look at: a platform that `scripts/test-compose` has started."""

import json
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from scripts.containers.figures import Figures

ROOT = Path(__file__).parents[2]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Known when this folder is named on the command line, as scripts/test-compose does."""
    parser.addoption("--compose", metavar="PROJECT", help="a running Compose project of this clone")
    parser.addoption("--figures", metavar="FILE", help="where to keep what is measured")


@dataclass(frozen=True)
class Containers:
    """One project of Docker Compose."""

    project: str

    def compose(self, *words: str) -> str:
        """`docker compose WORDS`; its output."""
        return docker("compose", "-p", self.project, *words)

    def docker(self, *words: str) -> str:
        """`docker WORDS`; its output."""
        return docker(*words)

    def image(self, target: str) -> str:
        """The name of one of our images."""
        return f"{self.project}-{target}:dev"

    def ids(self, *services: str) -> list[str]:
        """Containers of some or all services, the ended ones too."""
        return self.compose("ps", "-aq", *services).split()

    def inspected(self, *services: str) -> dict[str, Any]:
        """All that Docker knows, by the name of the container."""
        found = json.loads(docker("inspect", *self.ids(*services)))
        return {container["Name"].removeprefix(f"/{self.project}-"): container for container in found}

    def health(self, container: str) -> str:
        """`healthy`, `starting`, `unhealthy`, or why there is none."""
        state = json.loads(docker("inspect", "--format", "{{json .State}}", container))
        return str(state["Health"]["Status"] if state["Running"] else state["Status"])

    def inside(self, service: str, program: str) -> subprocess.CompletedProcess[str]:
        """Run a few lines of Python in the container of a service."""
        command = ["docker", "compose", "-p", self.project, "exec", "-T", service, "python", "-c", program]
        return subprocess.run(command, cwd=ROOT, text=True, capture_output=True, check=False)


def docker(*words: str) -> str:
    """Standard output; fails with what Docker said."""
    done = subprocess.run(["docker", *words], cwd=ROOT, text=True, capture_output=True, check=False)
    assert done.returncode == 0, f"docker {' '.join(words)}: {done.stderr.strip()[-2000:]}"
    return done.stdout


def in_image(image: str, *words: str, options: Sequence[str] = ()) -> str:
    """Run a command in a fresh container that has no network and may write nothing."""
    locked = ("--rm", "--read-only", "--cap-drop=ALL", "--network=none")
    return docker("run", *locked, *options, f"--entrypoint={words[0]}", image, *words[1:])


@pytest.fixture(scope="session")
def containers(request: pytest.FixtureRequest) -> Containers:
    """The project that was named."""
    project = request.config.getoption("--compose", default=None)
    if not project:
        why = "docker is not there" if not shutil.which("docker") else "no --compose PROJECT was given"
        pytest.skip(f"{why}: scripts/test-compose runs this")
    return Containers(str(project))


@pytest.fixture(scope="session")
def figures(request: pytest.FixtureRequest) -> Iterator[Figures]:
    """What is measured goes here; scripts/test-compose prints it."""
    with TemporaryDirectory() as folder:
        told = request.config.getoption("--figures", default=None)
        yield Figures(Path(str(told)) if told else Path(folder) / "figures")
