"""Run the tests, on a platform of their own.

scripts/test [pytest's arguments]
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from scripts.runner.board import read
from scripts.runner.ports import is_free
from scripts.runner.site import Site
from scripts.runner.supervisor import is_up
from services.chassis.ports import PORTS

FIRST_PORT, STEP = 9080, 400
TRAINED = Path("volumes/trainer/cache")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def main(site: Site, arguments: Sequence[str]) -> int:
    state = Path(os.environ.get("STATE_DIR") or site.root / ".state" / "test").resolve()
    port = int(os.environ.get("PORT") or _port(state))
    if _wants_browser(site, arguments):
        _browser()
    _borrow_training(site.state, state)
    environment = {**os.environ, "STATE_DIR": str(state), "PORT": str(port)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    print(f"test: own platform on port {port}, kept in {state}", flush=True)
    return subprocess.run([site.python(), "-m", "pytest", *arguments], env=environment, check=False).returncode


def _port(state: Path) -> int:
    """That of the tests' platform if one is up, else the first of a whole range that is free."""
    told = read(state)
    if told and is_up(state):
        return told.port
    bases = range(FIRST_PORT, 32000, STEP)
    return next(base for base in bases if all(is_free(port - PORTS["gateway"] + base) for port in PORTS.values()))


def _borrow_training(there: Path, here: Path) -> None:
    """What the same sources gave once need not be trained again: DVC's cache is found by content."""
    source, target = there / TRAINED, here / TRAINED
    if source.is_dir() and not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, target)


def _wants_browser(site: Site, arguments: Sequence[str]) -> bool:
    """Unless other tests are named."""
    named = [word for word in arguments if word.startswith("tests") or (site.root / word.partition("::")[0]).exists()]
    return not named or any("browser" in word or word.strip("/") == "tests" for word in named)


def _browser() -> None:
    """Chromium from Debian, once; without it the browser tests say that they are skipped."""
    if any(map(shutil.which, BROWSERS)):
        return
    if not shutil.which("apt-get") or os.geteuid() != 0:
        why = "apt-get is not there" if not shutil.which("apt-get") else "only root can install it"
        print(f"test: browser tests are skipped: no chromium on PATH, and {why}", flush=True)
        return
    print("test: installing chromium from Debian, once ...", flush=True)
    for words in (["update"], ["install", "-y", "--no-install-recommends", "chromium"]):
        done = subprocess.run(["apt-get", "-qq", *words], env=_quiet(), capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"test: browser tests are skipped: apt-get {words[0]}: {done.stderr.strip()[-300:]}", file=sys.stderr)
            return


def _quiet() -> dict[str, str]:
    return {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
