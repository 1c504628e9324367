"""Layers of an image: tars that are the same, byte for byte, whenever the same files go in."""

import hashlib
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

import zstandard

LEVEL = 3
FOLDER_MODE, FILE_MODE = 0o755, 0o444


@dataclass(frozen=True)
class Layer:
    """A compressed tar: `digest` names what is stored, `diff_id` what is in it."""

    name: str
    path: Path
    digest: str
    diff_id: str
    size: int


class Hashed:
    """Something to write to that knows the hash of what went in."""

    def __init__(self, target: Any) -> None:
        self._target, self._sha256, self.size = target, hashlib.sha256(), 0

    def write(self, data: Any) -> int:
        """Pass on and count."""
        self._sha256.update(data)
        self.size += len(data)
        self._target.write(data)
        return len(data)

    @property
    def digest(self) -> str:
        """As OCI writes it."""
        return f"sha256:{self._sha256.hexdigest()}"


class Tar:
    """A layer being written. Who adds sees to the order."""

    def __init__(self, stream: Hashed) -> None:
        self._tar = tarfile.open(  # noqa: SIM115 (closed by close)
            mode="w|", fileobj=cast(BinaryIO, stream), format=tarfile.PAX_FORMAT
        )

    def add(self, info: tarfile.TarInfo, content: BinaryIO | None = None) -> None:
        """One entry, without time and without names of owners."""
        info.mtime, info.uname, info.gname = 0, "", ""
        self._tar.addfile(info, content)

    def folder(self, name: str) -> None:
        """A folder of root's that everybody may look into."""
        info = tarfile.TarInfo(name)
        info.type, info.mode = tarfile.DIRTYPE, FOLDER_MODE
        self.add(info)

    def file(self, name: str, path: Path) -> None:
        """A file of root's that everybody may read and nobody change."""
        info = tarfile.TarInfo(name)
        info.mode, info.size = FILE_MODE, path.stat().st_size
        with path.open("rb") as content:
            self.add(info, content)

    def as_it_is(self, path: Path) -> None:
        """What lies at a path of this machine, with its mode and the numbers of its owner; devices are left out."""
        info = self._tar.gettarinfo(path, arcname=str(path).lstrip("/"))
        if info is None or not (info.isfile() or info.isdir() or info.issym() or info.islnk()):
            return
        if info.isreg():
            with path.open("rb") as content:
                self.add(info, content)
        else:
            self.add(info)

    def close(self) -> None:
        """The end of the archive."""
        self._tar.close()


@contextmanager
def layer_at(path: Path) -> Iterator[tuple[Tar, list[Layer]]]:
    """Fill the tar; the layer is in the list afterwards, and its file at `path`."""
    made: list[Layer] = []
    with path.open("wb") as file:
        packed = Hashed(file)
        with zstandard.ZstdCompressor(level=LEVEL).stream_writer(cast(BinaryIO, packed), closefd=False) as compressed:
            plain = Hashed(compressed)
            tar = Tar(plain)
            yield tar, made
            tar.close()
    made.append(Layer(path.name.partition(".")[0], path, packed.digest, plain.digest, packed.size))


def model_layer(path: Path, name: str, artefact: Path, extra: dict[str, bytes]) -> Layer:
    """The artefact of one model under /model/NAME, and what the host has to know besides."""
    for added, content in extra.items():
        (artefact / added).write_bytes(content)
    with layer_at(path) as (tar, made):
        tar.folder("model")
        tar.folder(f"model/{name}")
        for file in sorted(artefact.iterdir()):
            tar.file(f"model/{name}/{file.name}", file)
    return made[0]
