"""Where a model version comes from: the commit, its sources, its data, its author.

Nothing here needs a git program or git objects: in the trainer's container only HEAD, the refs and
the index of the repository are there.
"""

import ast
import hashlib
import json
import os
import re
import struct
from collections.abc import Iterable, Iterator
from configparser import ConfigParser, Error
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from pipelines.parameters import read_yaml

UNKNOWN = "unknown"
PACKAGES = ("models", "pipelines")
PIN = re.compile(r"^([\w.-]+)(?:\[[^\]]*\])?==([^\s;]+)", re.MULTILINE)
MADE_HERE = {"dvc.lock", "card.md", ".gitignore"}
"""Files beside the sources that the pipeline itself writes, as it does every picture there."""


class UntrackedData(ValueError):
    """The data that made the model is not what dvc.lock records."""


@dataclass(frozen=True)
class Revision:
    """The state of the repository a version was made from."""

    commit: str
    dirty: bool


def repository() -> Path:
    """The repository: SOURCE_DIR when this runs in a workspace copied from it."""
    return Path(os.environ.get("SOURCE_DIR") or ".").resolve()


# Sources


def sources(root: Path, name: str) -> list[Path]:
    """The files that decide what the pipeline of `name` makes, relative to `root`, sorted.

    They are the shared modules, the model's own folders, and every folder that these import.
    """
    found = {path for package in PACKAGES for path in (root / package).glob("*.py")}
    waiting, seen = [name], {name}
    while waiting:
        own = [path for path in folder_files(root, waiting.pop()) if path not in found]
        found.update(own)
        new = {folder for path in own if path.suffix == ".py" for folder in imported(path)} - seen
        waiting.extend(new)
        seen |= new
    return sorted(path.relative_to(root) for path in found)


def folder_files(root: Path, name: str) -> list[Path]:
    """The sources in models/NAME and pipelines/NAME."""
    return [path for package in PACKAGES for path in (root / package / name).rglob("*") if is_source(path)]


def imported(path: Path) -> set[str]:
    """Names of what a file imports from `models` and `pipelines`; not all of them are folders."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        modules: list[str] = []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules = [f"{node.module}.{alias.name}" for alias in node.names]
        parts = [module.split(".") for module in modules]
        found.update(part[1] for part in parts if part[0] in PACKAGES and len(part) > 1)
    return found


def is_source(path: Path) -> bool:
    """A file somebody wrote, not one that was made from it."""
    return path.is_file() and path.suffix != ".pyc" and not is_made(path)


def is_made(path: Path) -> bool:
    """A file that the pipeline writes beside its sources."""
    return path.name in MADE_HERE or path.suffix == ".png"


def sources_hash(root: Path, name: str) -> str:
    """sha256 over the paths and contents of the sources."""
    total = hashlib.sha256()
    for path in sources(root, name):
        content = hashlib.sha256((root / path).read_bytes()).hexdigest()
        total.update(f"{path.as_posix()} {content}\n".encode())
    return total.hexdigest()


# Revision


def revision(root: Path, name: str, workspace: Path) -> Revision:
    """The commit, and whether the sources used in `workspace` differ from it."""
    git = git_folder(root)
    commit = head(git) if git else UNKNOWN
    if git is None or commit == UNKNOWN:
        return Revision(UNKNOWN, dirty=True)
    used = sources_hash(workspace, name)
    return Revision(commit, dirty=used != sources_hash(root, name) or differs(git, root, name))


def git_folder(root: Path) -> Path | None:
    """The .git folder, also of a linked work tree."""
    git = root / ".git"
    if git.is_file():
        pointed = git.read_text("utf-8").removeprefix("gitdir:").strip()
        git = (root / pointed).resolve()
    return git if (git / "HEAD").is_file() else None


def head(git: Path) -> str:
    """The commit that HEAD names, directly or by a loose or packed ref."""
    content = (git / "HEAD").read_text("utf-8").strip()
    if not content.startswith("ref:"):
        return content
    ref = content.removeprefix("ref:").strip()
    for folder in (git, common_folder(git)):
        if (folder / ref).is_file():
            return (folder / ref).read_text("utf-8").strip()
    return packed(common_folder(git)).get(ref, UNKNOWN)


def common_folder(git: Path) -> Path:
    """Where refs are shared between work trees."""
    pointer = git / "commondir"
    return (git / pointer.read_text("utf-8").strip()).resolve() if pointer.is_file() else git


def packed(git: Path) -> dict[str, str]:
    """Commits by ref, from packed-refs."""
    path = git / "packed-refs"
    if not path.is_file():
        return {}
    lines = (line.split() for line in path.read_text("utf-8").splitlines() if line[:1] not in "#^")
    return {ref: commit for commit, ref in lines}


def differs(git: Path, root: Path, name: str) -> bool:
    """Whether a source differs from what git has for it, or git does not know it.

    Held against the index, which is all there is in a container: a change that is staged but not
    committed is not seen. An index that cannot be read proves nothing, so it counts as different.
    """
    try:
        tracked = dict(index_entries((git / "index").read_bytes()))
    except (OSError, ValueError, struct.error):
        return True
    wanted = {path.as_posix() for path in sources(root, name)}
    known = {path for path in tracked if path.startswith((f"models/{name}/", f"pipelines/{name}/"))}
    missing = {path for path in known - wanted if not is_made(Path(path))}
    return bool(missing) or any(tracked.get(path) != blob_hash(root / path) for path in wanted)


def blob_hash(path: Path) -> str:
    """The name git gives to this content."""
    content = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def index_entries(index: bytes) -> Iterator[tuple[str, str]]:
    """Path and blob of each entry of a git index, format version 2 or 3."""
    signature, form, count = struct.unpack(">4sLL", index[:12])
    if signature != b"DIRC" or form not in (2, 3):
        raise ValueError(f"index format {form} is not read")
    start = 12
    for _ in range(count):
        blob = index[start + 40 : start + 60].hex()
        (flags,) = struct.unpack(">H", index[start + 60 : start + 62])
        path_at = start + (64 if flags & 0x4000 else 62)
        end = index.index(b"\0", path_at)
        yield index[path_at:end].decode("utf-8"), blob
        start += (end - start + 8) // 8 * 8


# Data


def data_hash(workspace: Path, name: str) -> str:
    """sha256 over the data that the stages read, as dvc.lock records it and as it lies on disk."""
    tracked = tracked_data(workspace / "pipelines" / name / "dvc.lock")
    for path, recorded in tracked.items():
        if recorded != dvc_hash(workspace / path):
            raise UntrackedData(f"{path} differs from dvc.lock: run dvc repro")
    return hashlib.sha256(json.dumps(tracked, sort_keys=True).encode()).hexdigest()


def tracked_data(lock: Path) -> dict[str, str]:
    """md5 by path of every dependency under data/ and requirements/npm, from dvc.lock."""
    if not lock.is_file():
        raise UntrackedData(f"{lock} is missing: run dvc repro")
    stages: dict[str, Any] = read_yaml(lock).get("stages") or {}
    if "train" not in stages:
        raise UntrackedData(f"{lock} has no train stage: run dvc repro")
    found: dict[str, str] = {}
    for stage in (content for key, content in stages.items() if key != "register"):
        for dependency in stage.get("deps", []):
            if dependency["path"].startswith(("data/", "requirements/npm/")):
                found[dependency["path"]] = dependency.get("md5", "")
    if not found:
        raise UntrackedData(f"{lock} records no data")
    return found


def dvc_hash(path: Path) -> str:
    """The md5 by which DVC knows a file, or a folder (of the list of its files)."""
    if path.is_file():
        return md5(path.read_bytes())
    if not path.is_dir():
        raise UntrackedData(f"{path} is missing")
    entries = [
        {"md5": md5(file.read_bytes()), "relpath": file.relative_to(path).as_posix()}
        for file in sorted(path.rglob("*"))
        if file.is_file()
    ]
    entries.sort(key=lambda entry: entry["relpath"])
    return md5(json.dumps(entries, sort_keys=True).encode()) + ".dir"


def md5(content: bytes) -> str:
    """DVC's hash: a name, not a safeguard."""
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


# People and libraries


def author(root: Path) -> str:
    """Who makes the version: git's configured user, who last worked in the repository, else the environment's."""
    git = git_folder(root)
    configured = [common_folder(git) / "config"] if git else []
    names = [configured_user(path) for path in (*configured, Path("~/.gitconfig").expanduser())]
    names += [last_user(git) if git else "", os.environ.get("MODEL_AUTHOR", ""), os.environ.get("USER", "")]
    return next((name for name in names if name), UNKNOWN)


def last_user(git: Path) -> str:
    """The name in the last line of HEAD's log: who committed, or checked out, here."""
    try:
        lines = (git / "logs" / "HEAD").read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return ""
    return lines[-1].split(" <")[0].split(" ", 2)[-1] if lines else ""


def configured_user(path: Path) -> str:
    """`user.name` of a git configuration file, or nothing."""
    parser = ConfigParser(strict=False, interpolation=None, allow_no_value=True)
    try:
        text = path.read_text("utf-8")
        parser.read_string("\n".join(line.strip() for line in text.splitlines()))
    except (OSError, UnicodeDecodeError, Error):
        return ""
    return parser.get("user", "name", fallback="").strip('"')


def installed(names: Iterable[str]) -> dict[str, str]:
    """Exact versions of the libraries that are installed."""
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def pins(root: Path) -> dict[str, str]:
    """Versions by name, from the lock files."""
    found: dict[str, str] = {}
    for path in sorted((root / "requirements").glob("*.txt")):
        for name, pinned in PIN.findall(path.read_text("utf-8")):
            found.setdefault(name.lower(), pinned)
    return found
