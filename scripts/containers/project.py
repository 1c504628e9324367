"""One project of Docker Compose, from outside."""

import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from scripts.runner.ports import is_free
from scripts.runner.site import site
from services.chassis.ports import PORTS

BASES = range(18080, 28080, 400)
WAIT_SECONDS = 1500
UNITS = {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "B": 1}
PUBLISHED = re.compile(r"\$\{(PORT(?:_\w+)?):-(\d+)\}")
TRAINED = Path("volumes/trainer/cache")


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


def own(root: Path, override: Path | None = None) -> "Project":
    """A project beside the one people use: another name, other ports."""
    found = site(root)
    name = f"{found.environment.get('COMPOSE_PROJECT_NAME') or root.name.lower()}-test"
    port = int(os.environ.get("PORT") or next(base for base in BASES if all(map(is_free, ports(root, base).values()))))
    return Project(root, name, port, override)


def ports(root: Path, port: int) -> dict[str, int]:
    """Every variable of compose.yaml that publishes something, when the gateway's is `port`."""
    told = PUBLISHED.findall((root / "compose.yaml").read_text())
    return {name: int(usual) - PORTS["gateway"] + port for name, usual in told}


@dataclass(frozen=True)
class Project:
    """Where it is and what it is called; `override` is laid over compose.yaml."""

    root: Path
    name: str
    port: int
    override: Path | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> Mapping[str, str]:
        published = {name: str(port) for name, port in ports(self.root, self.port).items()}
        files = {"COMPOSE_FILE": f"{self.root / 'compose.yaml'}:{self.override}"} if self.override else {}
        label = {"REVISION": os.environ.get("REVISION") or revision(self.root)}
        least = {"TRAIN_THE_REST": os.environ.get("TRAIN_THE_REST") or "false"}
        return {**os.environ, "COMPOSE_PROJECT_NAME": self.name, **label, **least, **published, **files}

    def compose(self, *words: str) -> str:
        """`docker compose WORDS`; its output."""
        return output(["docker", "compose", *words], self.root, self.environment)

    def services(self) -> list[str]:
        return self.compose("config", "--services").split()

    def build(self) -> None:
        self.compose("build", "--quiet")

    def up(self) -> None:
        """Until everything is healthy: trained, and seeded."""
        self.compose("up", "--detach", "--wait", "--wait-timeout", str(WAIT_SECONDS), "--no-build")

    def down(self) -> None:
        """Everything is kept."""
        self.compose("down")

    def reset(self) -> None:
        """Forget everything, what only a profile starts too."""
        self.compose("--profile", "*", "down", "--volumes", "--remove-orphans", "--timeout", "5")

    def left(self) -> list[str]:
        """Volumes that are there."""
        return output(["docker", "volume", "ls", "-q", "--filter", f"label={self.label}"]).split()

    @property
    def label(self) -> str:
        return f"com.docker.compose.project={self.name}"

    def borrow(self, states: Sequence[Path]) -> bool:
        """Take over DVC's cache of a local platform: what the same sources gave once is not trained again."""
        folder = next((state / TRAINED for state in states if (state / TRAINED).is_dir()), None)
        if folder is None:
            return False
        words = ["docker", "compose", "run", "--rm", "--no-deps", "-T", "--entrypoint", "tar", "trainer"]
        packed = subprocess.Popen(["tar", "-C", str(folder.parent), "-c", folder.name], stdout=subprocess.PIPE)
        command = [*words, "-x", "-C", "/trainer", "--no-same-owner"]
        done = subprocess.run(
            command, cwd=self.root, env=self.environment, stdin=packed.stdout, capture_output=True, check=False
        )
        if packed.wait() or done.returncode:
            raise Failed(f"the cache of {folder} was not taken over: {done.stderr.decode()[-500:]}")
        return True

    def accounts(self, nowhere: Path) -> str:
        """The demo accounts, as the command shows them that people use; `nowhere` is a folder without a platform."""
        return output(["scripts/accounts", "--json"], self.root, {**self.environment, "STATE_DIR": str(nowhere)})

    def troubles(self) -> str:
        """Who is not well, why, and what it said last."""
        states = [json.loads(line) for line in self.compose("ps", "--all", "--format", "json").splitlines()]
        ill = [it for it in states if it["Health"] not in ("", "healthy") or it["ExitCode"]]
        if not ill:
            return ""
        short = "\n".join(self._out_of_memory([it["Name"] for it in ill]))
        return short + self.compose("logs", "--no-color", "--tail", "30", *(it["Service"] for it in ill))

    def _out_of_memory(self, containers: Sequence[str]) -> Iterator[str]:
        for found in json.loads(output(["docker", "inspect", *containers])):
            if found["State"]["OOMKilled"]:
                limit = found["HostConfig"]["Memory"] // 2**20
                yield f"{found['Name'].lstrip('/')} was killed at its limit of {limit} MB: raise its mem_limit\n"

    def memory(self) -> dict[str, float]:
        """What each container holds now, in MB."""
        ids = self.compose("ps", "--quiet").split()
        told = output(["docker", "stats", "--no-stream", "--format", "{{.Name}} {{.MemUsage}}", *ids]).splitlines()
        return {line.split()[0].removeprefix(f"{self.name}-"): held(line.split()[1]) for line in sorted(told)}

    def sizes(self) -> dict[str, float]:
        """How large the images are, uncompressed, in MB."""
        services = json.loads(self.compose("config", "--format", "json"))["services"].values()
        ours = {it["build"]["target"]: it["image"] for it in services if "build" in it}
        return {target: megabytes(image) for target, image in ours.items()}


@cache
def revision(root: Path) -> str:
    """The commit that images are labelled with."""
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=root, text=True, capture_output=True, check=False)
    return done.stdout.strip() or "unknown"


def megabytes(image: str) -> float:
    """What is in an image, but for the folders of wheels that pip is told of: a base may offer some for building."""
    wheels = "pip config list 2>/dev/null | sed -n \"s/.*find-links='\\(.*\\)'/--exclude=\\1/p\""
    count = f"du -xsb $({wheels}) / 2>/dev/null; true"
    options = ["--rm", "--read-only", "--network=none", "--entrypoint=sh"]
    return int(output(["docker", "run", *options, image, "-c", count]).split()[0]) / 1e6


def held(text: str) -> float:
    """`82.3MiB` in MB."""
    return next(float(text.removesuffix(unit)) * size / 1e6 for unit, size in UNITS.items() if text.endswith(unit))


def output(command: Sequence[str], folder: Path | None = None, environment: Mapping[str, str] | None = None) -> str:
    """Standard output of a command that must succeed."""
    done = subprocess.run(command, cwd=folder, env=environment, text=True, capture_output=True, check=False)
    if done.returncode:
        last = "\n".join((done.stdout + done.stderr).strip().splitlines()[-30:])
        raise Failed(f"`{' '.join(command)}` ended with {done.returncode}\n{last}")
    return done.stdout
