"""The trainer's own copy of the sources, where DVC may write: the source tree is read-only in a container.

What a pipeline makes is never copied over. dvc.lock is taken from the sources when it changed there;
otherwise the workspace's own stands, or results that differ in the last digit would train for ever.
"""

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

from services.trainer.catalogue import beneath, pipelines

FOLDERS = ("models", "pipelines", "data")
IGNORED = {"__pycache__", ".gitignore", ".DS_Store"}
BROUGHT = frozenset({"data/raw", "data/own"})
"""What people brought, and what came of it: large, and none of the pipelines' affair."""

CONFIG = """\
[core]
    no_scm = true
    analytics = false
    check_update = false
[cache]
    dir = {cache}
    type = "reflink,hardlink,copy"
"""


def synchronise(source: Path, workspace: Path, cache: Path) -> None:
    """Bring the workspace to the state of the sources; what DVC made there stays."""
    record = workspace / ".dvc" / "synchronised.json"
    before: dict[str, str] = json.loads(record.read_text()) if record.is_file() else {}
    record.parent.mkdir(parents=True, exist_ok=True)
    after = {}
    for path in tracked(source):
        after[path] = stamp(source / path)
        if before.get(path) != after[path] or not (workspace / path).exists():
            take(source / path, workspace / path)
    for path in before.keys() - after.keys():
        (workspace / path).unlink(missing_ok=True)
    link(source / "requirements/npm/node_modules", workspace / "requirements/npm/node_modules")
    (workspace / ".dvc" / "config").write_text(CONFIG.format(cache=cache))
    (workspace / ".dvc" / "tmp" / "rwlock").unlink(missing_ok=True)  # of a process that was killed
    record.write_text(json.dumps(after))


def tracked(source: Path) -> Iterator[str]:
    """Paths of the files that people wrote, and the lock files."""
    made = frozenset(path for pipeline in pipelines(source).values() for path in pipeline.writes)
    for folder in FOLDERS:
        for file in sorted((source / folder).rglob("*")):
            path = file.relative_to(source)
            if file.is_file() and not IGNORED & set(path.parts) and not beneath(path.as_posix(), made | BROUGHT):
                yield path.as_posix()
    single = [source / ".dvcignore", *sorted((source / "requirements").glob("*.txt"))]
    yield from (file.relative_to(source).as_posix() for file in single if file.is_file())


def stamp(file: Path) -> str:
    """Changes when the content does."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def take(file: Path, copy: Path) -> None:
    """Copy the content. What lies there may be read-only, or a link into DVC's cache."""
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.unlink(missing_ok=True)
    shutil.copyfile(file, copy)


def link(target: Path, place: Path) -> None:
    """The raw data of npm packages is large and never changes: a link."""
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.is_symlink():
        place.unlink()
    if not place.exists():
        place.symlink_to(target)
