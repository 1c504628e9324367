"""What can be trained: the pipelines in the source tree, their stages, and which of them share stages."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML


@dataclass(frozen=True)
class Pipeline:
    """One pipelines/NAME/dvc.yaml. Paths are from the root of the repository."""

    name: str
    stages: tuple[str, ...]
    reads: frozenset[str]
    writes: frozenset[str]

    @property
    def file(self) -> str:
        """What `dvc repro` is told."""
        return f"pipelines/{self.name}/dvc.yaml"


def pipelines(root: Path) -> dict[str, Pipeline]:
    """All pipelines, by name."""
    files = sorted((root / "pipelines").glob("*/dvc.yaml"))
    return {file.parent.name: read(file) for file in files}


def read(file: Path) -> Pipeline:
    """The parts of a dvc.yaml that matter here; parsed again when the file changed."""
    return parsed(file, file.stat().st_mtime_ns)


@lru_cache(maxsize=64)
def parsed(file: Path, changed: int) -> Pipeline:
    """What is in the file as of `changed`."""
    content: dict[str, Any] = YAML(typ="safe", pure=True).load(file.read_text("utf-8")) or {}
    stages: dict[str, Any] = content.get("stages") or {}
    reads, writes = set[str](), set[str]()
    for stage in stages.values():
        stage = stage.get("do", stage)
        reads.update(paths(stage.get("deps")))
        for kind in ("outs", "metrics", "plots"):
            writes.update(paths(stage.get(kind)))
    return Pipeline(file.parent.name, tuple(stages), frozenset(reads), frozenset(writes))


def paths(entries: Any) -> Iterator[str]:
    """Paths from a list of `path` and `path: {options}`; what varies in a path is cut off."""
    for entry in entries or ():
        path = next(iter(entry)) if isinstance(entry, Mapping) else str(entry)
        yield path.split("${")[0].rstrip("/")


def beneath(path: str, folders: frozenset[str]) -> bool:
    """Whether the path is one of the folders, or in one of them."""
    parts = path.split("/")
    return any("/".join(parts[:count]) in folders for count in range(1, len(parts) + 1))


def meets(path: str, folders: frozenset[str]) -> bool:
    """Whether the path is one of the folders, in one of them, or above one of them."""
    return beneath(path, folders) or any(folder.startswith(f"{path}/") for folder in folders)


def needed(name: str, known: Mapping[str, Pipeline]) -> set[str]:
    """The pipeline and those that make what it reads."""
    found, waiting = set[str](), [name]
    while waiting:
        current = known[waiting.pop()]
        found.add(current.name)
        waiting += [
            other.name
            for other in known.values()
            if other.name not in found and any(meets(path, other.writes) for path in current.reads)
        ]
    return found


def strands(names: Sequence[str], known: Mapping[str, Pipeline]) -> list[list[str]]:
    """Groups that have no stage in common, so that they can run side by side."""
    groups: list[tuple[list[str], set[str]]] = []
    for name in names:
        mine = needed(name, known)
        touching = [group for group in groups if group[1] & mine]
        groups = [group for group in groups if not group[1] & mine]
        members = [member for group in touching for member in group[0]]
        groups.append(([*members, name], mine.union(*(group[1] for group in touching))))
    return [members for members, _ in groups]
