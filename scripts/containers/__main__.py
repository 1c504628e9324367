"""Bring the platform up in containers on a project and a port of its own, try it, measure it, take it down.

scripts/test-compose [--keep] [pytest's arguments]
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from scripts.containers.project import Failed, Project, engine, own
from scripts.runner.site import ROOT

TESTS = ("tests/journeys", "tests/containers")


def main(arguments: Sequence[str]) -> int:
    """0 when everything held."""
    parser = argparse.ArgumentParser(prog="scripts/test-compose", description=__doc__.partition("\n")[0])
    parser.add_argument("--keep", action="store_true", help="leave it running")
    options, more = parser.parse_known_args(arguments)
    try:
        engine()
        project = own(ROOT)
    except Failed as problem:
        print(f"test-compose: {problem}", file=sys.stderr)
        return 2
    print(f"test-compose: project {project.name} on port {project.port}", flush=True)
    try:
        return tried(project, more)
    except Failed as problem:
        print(f"test-compose: {problem}\n{project.troubles()}", file=sys.stderr)
        return 1
    finally:
        if not options.keep:
            project.compose("down", "--volumes", "--remove-orphans", "--timeout", "5")


def tried(project: Project, more: Sequence[str]) -> int:
    """Every step with the seconds it took."""
    project.compose("down", "--volumes", "--remove-orphans", "--timeout", "5")
    timed("images built", project.build)
    timed("up, models trained, first items registered", project.up)
    timed("up again, nothing to do", project.up)
    print(project.sizes(), project.memory(), sep="\n", flush=True)
    with TemporaryDirectory() as folder:
        accounts = Path(folder) / "accounts.json"
        accounts.write_text(project.accounts(Path(folder)))
        where = ["--platform", project.address, "--accounts", str(accounts), "--compose", project.name]
        command = [sys.executable, "-m", "pytest", *TESTS, *where, *more]
        return subprocess.run(command, cwd=ROOT, env=project.environment, check=False).returncode


def timed(what: str, step: Callable[[], None]) -> None:
    """Do it and say how long it took."""
    began = time.monotonic()
    step()
    print(f"test-compose: {what}: {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
