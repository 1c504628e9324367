"""Everything that can be checked without running the platform.

scripts/check
"""

import argparse
import subprocess
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from scripts.runner.site import Site

CHECKED = ("models", "pipelines", "services", "scripts", "dashboards", "tests")


@dataclass(frozen=True)
class Result:
    name: str
    code: int
    output: str
    seconds: float


def main(site: Site, arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/check", description="Lint, format, types, imports, documents.")
    parser.parse_args(arguments)
    with ThreadPoolExecutor() as pool:
        results = list(pool.map(lambda item: run(site, *item), commands(site).items()))
    return 1 if any(result.code for result in results) else 0


def commands(site: Site) -> dict[str, list[str]]:
    python = site.python()
    folders = [folder for folder in CHECKED if (site.root / folder).is_dir()]
    rules = [folder for folder in ("tests/structure", "tests/docs") if any((site.root / folder).glob("test_*.py"))]
    return {
        "lint": [python, "-m", "ruff", "check", "."],
        "format": [python, "-m", "ruff", "format", "--check", "."],
        "types": [python, "-m", "mypy", "--strict", *folders],
        "structure and documents": [python, "-m", "pytest", "-q", "--no-header", *rules],
    }


def run(site: Site, name: str, command: Sequence[str]) -> Result:
    began = time.monotonic()
    done = subprocess.run(command, cwd=Path(site.root), capture_output=True, text=True, check=False)
    result = Result(name, done.returncode, done.stdout + done.stderr, time.monotonic() - began)
    print(f"{'ok  ' if result.code == 0 else 'FAIL'} {name} ({result.seconds:.1f} s)", flush=True)
    if result.code:
        print(result.output, flush=True)
    return result
