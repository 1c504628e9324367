"""Writes what all images of models share: the service image's own files as three layers, and layers.json.

    python -m services.image_builder.pack FOLDER [LEFT_OUT]...      (as root, when the image is built)

The same files give the same layers, whenever and wherever they are packed: names in order, no times,
owners as numbers. Bytecode must therefore not go by the time of its source (Dockerfile, stage `pack`).
"""

import json
import os
import platform
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from importlib.metadata import distributions
from pathlib import Path

from services.image_builder.base import FILE, Base, Part
from services.image_builder.layers import Layer, layer_at

OURS = {"venv": "/venv", "app": "/app"}
KEPT = ("LANG", "MALLOC_ARENA_MAX", "PATH", "PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "PYTHONUNBUFFERED")
"""What a process in the image is told; nothing else of the environment gets in."""

EMPTIED = ("/dev", "/proc", "/sys", "/tmp", "/run/lock", "/var/cache", "/var/log", "/var/tmp", "/root")  # noqa: S108
"""Folders that stay and lose what is in them."""

NOBODYS = (
    *("/etc/hostname", "/etc/hosts", "/etc/resolv.conf", "/etc/mtab", "/.dockerenv"),
    *("/etc/passwd-", "/etc/group-", "/etc/shadow", "/etc/shadow-", "/etc/gshadow", "/etc/gshadow-"),
    *("/etc/subuid-", "/etc/subgid-", "/etc/machine-id", "/var/lib/dpkg/status-old", "/etc/ld.so.cache-"),
)
"""Of the machine that builds, or dated: nobody signs in here."""

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def main(arguments: Sequence[str]) -> int:
    """Pack the root of this machine."""
    folder, left_out = Path(arguments[0]), set(arguments[1:])
    folder.mkdir(parents=True, exist_ok=True)
    base = packed(folder, {str(folder), *left_out})
    (folder / FILE).write_text(json.dumps(base.model_dump(mode="json"), indent=1, sort_keys=True))
    for part in base.layers:
        sys.stdout.write(f"{part.name:5} {part.size / 1e6:6.1f} MB {part.digest}\n")
    return 0


def packed(folder: Path, left_out: Collection[str]) -> Base:
    """The layers, the lowest first, and what has to be known of them."""
    system = {*left_out, *NOBODYS, *OURS.values()}
    layers = [_layer(folder, "os", Path("/"), lambda path: path in system)]
    layers += [_layer(folder, name, Path(root), lambda path: path in left_out) for name, root in OURS.items()]
    return Base(
        layers=tuple(Part(name=it.name, digest=it.digest, diff_id=it.diff_id, size=it.size) for it in layers),
        architecture=ARCHITECTURES[platform.machine()],
        environment={name: os.environ[name] for name in KEPT if name in os.environ},
        versions={plain(it.metadata["Name"]): it.version for it in distributions()},
        contracts=_contracts(),
    )


def plain(name: str) -> str:
    """One way to write the name of a package."""
    return name.lower().replace("_", "-").replace(".", "-")


def _layer(folder: Path, name: str, root: Path, skipped: Callable[[str], bool]) -> Layer:
    with layer_at(folder / f"{name}.tar.zst") as (tar, made):
        for path in walked(root, skipped):
            tar.as_it_is(path)
    return made[0]


def walked(root: Path, skipped: Callable[[str], bool]) -> Iterator[Path]:
    """Everything below, in order; not the root of the system itself."""
    if root != Path("/"):
        yield root
    for entry in sorted(os.scandir(root), key=lambda entry: entry.name):
        if skipped(entry.path):
            continue
        if entry.is_dir(follow_symlinks=False):
            if entry.path in EMPTIED:
                yield Path(entry.path)
            else:
                yield from walked(Path(entry.path), skipped)
        else:
            yield Path(entry.path)


def _contracts() -> dict[str, object]:
    """What this code expects of each model."""
    from services.predictors import declared_models

    return {model.manifest.name: model.manifest.model_dump(mode="json") for model in declared_models()}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
