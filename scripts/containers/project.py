"""One project of Docker Compose, from outside."""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.runner.ports import is_free
from scripts.runner.site import site

PORTS = range(18080, 28080, 400)
WAIT_SECONDS = 1500
TARGETS = ("service", "mlflow", "trainer")
UNITS = {"KiB": 1 / 1024, "MiB": 1.0, "GiB": 1024.0}


class Failed(Exception):
    """Docker could not do it; the message says why."""


def engine() -> None:
    """Docker must be there, with Compose, and answer."""
    for command, advice in (
        (["docker", "version"], "Docker does not answer; is it installed and running?"),
        (["docker", "compose", "version"], "`docker compose` is missing; Compose v2 is needed"),
    ):
        try:
            output(command)
        except (Failed, FileNotFoundError) as problem:
            raise Failed(f"{advice}\n{problem}") from problem


def own(root: Path) -> "Project":
    """A project beside the one people use: another name, another port."""
    found = site(root)
    name = f"{found.environment.get('COMPOSE_PROJECT_NAME') or root.name.lower()}-test"
    port = int(os.environ.get("PORT") or next(port for port in PORTS if is_free(port)))
    return Project(root, name, port)


@dataclass(frozen=True)
class Project:
    """Where it is and what it is called."""

    root: Path
    name: str
    port: int

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> Mapping[str, str]:
        return {**os.environ, "COMPOSE_PROJECT_NAME": self.name, "PORT": str(self.port)}

    def compose(self, *words: str) -> str:
        """`docker compose WORDS`; its output."""
        return output(["docker", "compose", *words], self.root, self.environment)

    def build(self) -> None:
        self.compose("build", "--quiet")

    def up(self) -> None:
        """Until everything is healthy: trained, and seeded."""
        self.compose("up", "--detach", "--wait", "--wait-timeout", str(WAIT_SECONDS))

    def accounts(self, nowhere: Path) -> str:
        """The demo accounts, as the command shows them that people use; `nowhere` is a folder without a platform."""
        return output(["scripts/accounts", "--json"], self.root, {**self.environment, "STATE_DIR": str(nowhere)})

    def troubles(self) -> str:
        """Who is not well, and what it said last."""
        lines = self.compose("ps", "--all", "--format", "json").splitlines()
        states = [json.loads(line) for line in lines]
        ill = [it["Service"] for it in states if it["Health"] not in ("", "healthy") or it["ExitCode"]]
        return self.compose("logs", "--no-color", "--tail", "30", *ill) if ill else ""

    def memory(self) -> str:
        """What each container holds now, and the sum."""
        ids = self.compose("ps", "--quiet").split()
        told = output(["docker", "stats", "--no-stream", "--format", "{{.Name}} {{.MemUsage}}", *ids]).splitlines()
        held = {line.split()[0].removeprefix(f"{self.name}-"): mebibytes(line.split()[1]) for line in sorted(told)}
        return table("memory, MiB", {**held, "sum": sum(held.values())})

    def sizes(self) -> str:
        """How large the images are, uncompressed."""
        names = {target: f"{self.name}-{target}:{os.environ.get('VERSION') or 'dev'}" for target in TARGETS}
        return table("images, MB", {name: megabytes(image) for name, image in names.items()})


def megabytes(image: str) -> float:
    """What is in an image, but for the folders of wheels that pip is told of: a base may offer some for building."""
    wheels = "pip config list 2>/dev/null | sed -n \"s/.*find-links='\\(.*\\)'/--exclude=\\1/p\""
    count = f"du -xsb $({wheels}) / 2>/dev/null; true"
    options = ["--rm", "--read-only", "--network=none", "--entrypoint=sh"]
    return int(output(["docker", "run", *options, image, "-c", count]).split()[0]) / 1e6


def mebibytes(text: str) -> float:
    """`82.3MiB` as a number."""
    return next(float(text.removesuffix(unit)) * size for unit, size in UNITS.items() if text.endswith(unit))


def table(title: str, rows: Mapping[str, float]) -> str:
    """Names and whole numbers."""
    return "\n".join([title, *(f"  {name:20} {value:6.0f}" for name, value in rows.items())])


def output(command: Sequence[str], folder: Path | None = None, environment: Mapping[str, str] | None = None) -> str:
    """Standard output of a command that must succeed."""
    done = subprocess.run(command, cwd=folder, env=environment, text=True, capture_output=True, check=False)
    if done.returncode:
        last = "\n".join((done.stdout + done.stderr).strip().splitlines()[-30:])
        raise Failed(f"`{' '.join(command)}` ended with {done.returncode}\n{last}")
    return done.stdout
