"""Prometheus and Alertmanager from the system's packages, unpacked into the clone without installing them.

apt-get checks signatures as always. Nothing of the system is changed; standard library only, as for all of setup.
"""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

PACKAGES = ("prometheus", "prometheus-alertmanager")
PROGRAMS = ("prometheus", "promtool", "alertmanager", "amtool")
ASSETS = b"/usr/share/prometheus"
PATIENCE = ("-o", "Acquire::Retries=1", "-o", "Acquire::http::Timeout=15", "-o", "Acquire::https::Timeout=15")


class LeftOut(Exception):
    """It cannot be had now; the platform works without it."""


def unpacked(folder: Path) -> str:
    """Have the programs in `folder`, or find that they are there already; returns what to say."""
    if all(map(shutil.which, PROGRAMS)):
        return "found on PATH"
    if not (shutil.which("apt-get") and shutil.which("dpkg")):
        return f"no apt-get here; they are used if {', '.join(PROGRAMS)} are put on PATH"
    with tempfile.TemporaryDirectory(dir=folder) as making:
        archives = fetched(Path(making))
        for archive in archives:
            run(["dpkg", "-x", str(archive), making])
        for unused in (Path(making) / "usr" / "share").glob("javascript/*/data"):  # 200 MB of time zones
            shutil.rmtree(unused)
        for program in (Path(making) / "usr" / "bin").iterdir():
            relocate(program)
        shutil.rmtree(folder / "usr", ignore_errors=True)
        (Path(making) / "usr").rename(folder / "usr")
    return " ".join(archive.name.partition("+")[0].replace("_", " ") for archive in archives[: len(PACKAGES)])


def fetched(folder: Path) -> list[Path]:
    """The packages themselves first, then what they need of others."""
    apt = Apt(folder)
    try:
        apt.download(PACKAGES)
    except LeftOut:  # no lists yet, or old ones
        apt.update()
        apt.download(PACKAGES)
    first = sorted(folder.glob("*.deb"))
    more = {name for archive in first for name in wanted(run(["dpkg", "-f", str(archive), "Depends"]))}
    if more:
        apt.download(sorted(more))
    return [*first, *(archive for archive in folder.glob("*.deb") if archive not in first)]


def wanted(dependencies: str) -> list[str]:
    """Those dependencies that are of use here: what pages show, and promtool where it is a package of its own."""
    return re.findall(r"(?:^|, )((?:libjs|fonts)-[\w.+-]+|promtool)", dependencies)


class Apt:
    """apt-get, with lists of its own when the system's do not do."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._options = folder, [*PATIENCE, *(("-o", "APT::Sandbox::User=root") if _root() else ())]

    def update(self) -> None:
        """Fetch the lists, into a folder that goes away again."""
        for name in ("lists", "cache"):
            (self._folder / name / "partial").mkdir(parents=True)
        self._options += ["-o", f"Dir::State::lists={self._folder}/lists", "-o", f"Dir::Cache={self._folder}/cache"]
        run(["apt-get", "-qq", *self._options, "update"])

    def download(self, names: Sequence[str]) -> None:
        """Into the folder, unless they are there."""
        run(["apt-get", "-qq", *self._options, "download", *names], self._folder)


def relocate(program: Path) -> None:
    """Debian's build looks for its files at one absolute place. The same place below the folder it is started in has
    a name of the same length, and that is all that is changed."""
    content = program.read_bytes()
    if ASSETS in content:
        program.write_bytes(content.replace(ASSETS, ASSETS.removeprefix(b"/") + b"/"))


def _root() -> bool:
    return os.geteuid() == 0


def run(command: Sequence[str], folder: Path | None = None) -> str:
    """Its output; says the last line of its trouble."""
    done = subprocess.run(command, cwd=folder, text=True, capture_output=True, check=False)
    if done.returncode:
        told = (done.stderr or done.stdout).strip().splitlines() or ["no reason was given"]
        raise LeftOut(f"`{command[0]}` could not: {told[-1]}")
    return done.stdout
