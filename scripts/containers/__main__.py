"""Bring the platform up in containers on a project and ports of its own, try it, measure it, take it down.

scripts/test-compose [--keep] [--trained] [--cores LIST] [pytest's arguments]
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from scripts.containers.figures import Figures, table
from scripts.containers.project import Failed, Project, engine, own
from scripts.runner.site import ROOT, site

TESTS = ("tests/journeys", "tests/dashboards/test_panels.py", "tests/containers")
UP_FROM_NOTHING_SECONDS, UP_AGAIN_SECONDS = 15 * 60, 90
SERVICE_MB, IDLE_MB = 650, 3000


def main(arguments: Sequence[str]) -> int:
    """0 when everything held."""
    options, more = parser().parse_known_args(arguments)
    with TemporaryDirectory() as folder:
        try:
            engine()
            project = own(ROOT, pinned(options.cores, Path(folder)))
        except Failed as problem:
            print(f"test-compose: {problem}", file=sys.stderr)
            return 2
        print(f"test-compose: project {project.name} on port {project.port}", flush=True)
        return trial(project, options, more, Path(folder))


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="scripts/test-compose", description=(__doc__ or "").partition("\n")[0])
    made.add_argument("--keep", action="store_true", help="leave it running")
    made.add_argument("--trained", action="store_true", help="take over what a local platform has trained already")
    made.add_argument("--cores", metavar="LIST", help="the cores that containers may use, such as 0,1")
    return made


def trial(project: Project, options: argparse.Namespace, more: Sequence[str], folder: Path) -> int:
    """Try it; whatever happens, print what was measured and take it down."""
    figures = Figures(folder / "figures")
    code = 1
    try:
        project.reset()
        measured(project, options, figures)
        code = tested(project, figures, more, folder)
    except Failed as problem:
        print(f"test-compose: {problem}\n{project.troubles()}", file=sys.stderr)
    finally:
        if not options.keep:
            project.reset()
            figures.add("volumes left by `docker compose down -v`", len(project.left()), "", bound=0)
        print(f"\ntest-compose: {machine(options.cores)}\n{table(figures)}", flush=True)
    return code or int(not all(figure.holds for figure in figures))


def measured(project: Project, options: argparse.Namespace, figures: Figures) -> None:
    """From nothing to idle, every step with what it took."""
    borrowed = False
    build = timed(project.build)
    figures.add("building the images (a cache of layers may help)", build, "s")
    if options.trained:
        borrowed = project.borrow([site(ROOT).state, ROOT / ".state" / "test"])
        said = "models are taken over" if borrowed else "nothing was trained here yet, so it trains"
        print(f"test-compose: {said}", flush=True)
    up = timed(project.up)
    if borrowed:
        figures.add("up, with models that were trained elsewhere", up, "s")
    else:
        figures.add("up from nothing: images, training, first items", build + up, "s", UP_FROM_NOTHING_SECONDS)
    figures.add("memory just after that, while the other models are trained", sum(project.memory().values()), "MB")
    project.down()
    figures.add("up from images and models that are there", timed(project.up), "s", UP_AGAIN_SECONDS)
    figures.add("up again, nothing to do", timed(project.up), "s")
    for target, size in project.sizes().items():
        figures.add(f"image `{target}`", size, "MB", SERVICE_MB if target == "service" else None)
    memory = project.memory()
    for name, size in memory.items():
        figures.add(f"idle memory of {name}", size, "MB")
    figures.add("idle memory, all containers", sum(memory.values()), "MB", IDLE_MB)


def tested(project: Project, figures: Figures, more: Sequence[str], folder: Path) -> int:
    """The tests, told where everything is."""
    accounts = folder / "accounts.json"
    accounts.write_text(project.accounts(folder))
    where = ["--platform", project.address, "--accounts", str(accounts)]
    command = [sys.executable, "-m", "pytest", *TESTS, *where, "--compose", project.name]
    told = ["--figures", str(figures.file), *more]
    return subprocess.run([*command, *told], cwd=ROOT, env=project.environment, check=False).returncode


def pinned(cores: str | None, folder: Path) -> Path | None:
    """Something to lay over compose.yaml, so that every container keeps to some cores."""
    if not cores:
        return None
    services = Project(ROOT, "any", 0).services()
    file = folder / "cores.yaml"
    file.write_text("services:\n" + "".join(f'  {name}: {{ cpuset: "{cores}" }}\n' for name in services))
    return file


def machine(cores: str | None) -> str:
    """What the figures were measured on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    kept = f", containers kept to {cores}" if cores else ""
    return f"measured on {os.cpu_count()} cores{kept}, {memory:.0f} GB, {time.strftime('%Y-%m-%d')}"


def timed(step: Callable[[], None]) -> float:
    """Seconds that a step took; its name is said before it, for it may take minutes."""
    print(f"test-compose: {step.__name__} ...", flush=True)
    began = time.monotonic()
    step()
    return time.monotonic() - began


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
