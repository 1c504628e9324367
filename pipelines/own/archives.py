"""Reads packed pictures without unpacking them to disk: nothing an archive names can be written anywhere.

Known by their layout: CIFAR-10 as its authors publish it for Python, Oxford-IIIT Pet, and any archive
of LABEL/PICTURE files.
"""

import io
import pickle
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

import numpy as np
from PIL import Image

from pipelines.own.report import Report

MOST_FILES = 500_000
LARGEST_FILE = 40_000_000
LARGEST_BATCH = 200_000_000
MOST_BYTES = 20_000_000_000
"""Of everything unpacked: more is a bomb, or no set of pictures."""

CIFAR_SIDE = 32
BATCHES = "cifar-10-batches-py"


class BadArchive(ValueError):
    """It cannot be read, or holds more than an archive of pictures may."""


@dataclass(frozen=True)
class Packed:
    """One file of an archive."""

    name: str
    content: bytes


def is_archive(path: Path) -> bool:
    """Whether it is a tar or zip archive."""
    return path.is_file() and (tarfile.is_tarfile(path) or zipfile.is_zipfile(path))


def files(path: Path, report: Report, largest: int = LARGEST_FILE) -> Iterator[Packed]:
    """Every plain file of an archive, in its order; what is none, or too large, is reported by name.

    An archive that is damaged is read up to there, and that is reported; raises BadArchive for a bomb.
    """
    read = _zipped if zipfile.is_zipfile(path) else _tarred
    try:
        yield from _limited(read(path, report, largest))
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
        report.add("corrupt", path.name, f"it cannot be read to its end: {error}")


def _limited(found: Iterator[Packed]) -> Iterator[Packed]:
    total = 0
    for number, packed in enumerate(found, 1):
        total += len(packed.content)
        if number > MOST_FILES or total > MOST_BYTES:
            raise BadArchive(f"more than {MOST_FILES} files or {MOST_BYTES} bytes")
        yield packed


def _tarred(path: Path, report: Report, largest: int) -> Iterator[Packed]:
    with tarfile.open(path, "r|*") as archive:
        for member in archive:
            if member.isdir():
                continue
            if not member.isfile():
                report.add("ignored", member.name, "a link or device, not a file")
            elif member.size > largest:
                report.add("too large", member.name, f"{member.size} bytes, at most {largest} are read")
            elif content := archive.extractfile(member):
                yield Packed(member.name, content.read())


def _zipped(path: Path, report: Report, largest: int) -> Iterator[Packed]:
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            if member.is_dir():
                continue
            if member.file_size > largest:
                report.add("too large", member.filename, f"{member.file_size} bytes, at most {largest} are read")
                continue
            with archive.open(member) as content:
                read = content.read(largest + 1)  # what the header says may be a lie
            if len(read) > largest:
                report.add("too large", member.filename, f"more than {largest} bytes")
            else:
                yield Packed(member.filename, read)


# CIFAR-10


def is_cifar(path: Path) -> bool:
    """Whether the archive's first file says so."""
    try:
        with tarfile.open(path, "r|*") as archive:
            first = next(iter(archive), None)
    except (tarfile.TarError, OSError, EOFError):
        return False
    return first is not None and PurePosixPath(first.name).parts[:1] == (BATCHES,)


def cifar(path: Path, report: Report) -> Iterator[tuple[str, str, str, bytes]]:
    """Name, label, part and picture file of all pictures; batches that cannot be read are reported by name."""
    labels = cifar_labels(path, report)
    for packed in files(path, report, LARGEST_BATCH):
        name = PurePosixPath(packed.name).name
        if name.startswith(("data_batch", "test_batch")):
            part = "test" if name.startswith("test") else "train"
            yield from _batch(packed, name, labels, part, report)


def cifar_labels(path: Path, report: Report) -> list[str]:
    """The names of the ten labels; the metadata may come after the batches."""
    for packed in files(path, Report(), LARGEST_BATCH):
        if PurePosixPath(packed.name).name == "batches.meta":
            found = unpickled(packed.content)
            return [text(name) for name in _under(found, "label_names")]
    raise BadArchive(f"{path.name} has no batches.meta with the names of the labels")


def _batch(
    packed: Packed, name: str, labels: list[str], part: str, report: Report
) -> Iterator[tuple[str, str, str, bytes]]:
    try:
        batch = unpickled(packed.content)
        rows = np.asarray(_under(batch, "data"), np.uint8).reshape(-1, 3, CIFAR_SIDE, CIFAR_SIDE)
        numbers = [int(number) for number in _under(batch, "labels")]
        names = [text(one) for one in batch.get(b"filenames", batch.get("filenames")) or []]
    except (BadArchive, KeyError, TypeError, ValueError) as error:
        report.add("corrupt", packed.name, str(error))
        return
    for at, (row, number) in enumerate(zip(rows, numbers, strict=False)):
        called = f"{name}/{names[at] if at < len(names) else at}"
        if 0 <= number < len(labels):
            yield called, labels[number], part, png(row.transpose(1, 2, 0))
        else:
            report.add("unlabelled", called, f"label number {number} has no name")
    if len(rows) != len(numbers):
        report.add("corrupt", packed.name, f"{len(rows)} pictures and {len(numbers)} labels")


def png(pixels: np.ndarray[Any, np.dtype[np.uint8]]) -> bytes:
    """Pixels as a picture file that loses nothing."""
    out = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(out, "PNG", compress_level=1)
    return out.getvalue()


ALLOWED = {
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy.core.multiarray", "scalar"),
    ("numpy._core.multiarray", "scalar"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("_codecs", "encode"),
}
"""What an array is made of."""


class OnlyArrays(pickle.Unpickler):
    """Unpickles plain values and NumPy arrays; a pickle that asks for anything else to be called is refused."""

    def find_class(self, module: str, name: str) -> Any:
        """Only what an array is made of."""
        if (module, name) not in ALLOWED:
            raise BadArchive(f"a pickle that asks for {module}.{name} is not read")
        return super().find_class(module.replace("numpy.core", "numpy._core"), name)


def unpickled(content: bytes | IO[bytes]) -> dict[Any, Any]:
    """A pickled dictionary; raises BadArchive."""
    try:
        found = OnlyArrays(io.BytesIO(content) if isinstance(content, bytes) else content, encoding="bytes").load()
    except BadArchive:
        raise
    except Exception as error:  # a damaged pickle fails in any way
        raise BadArchive(f"its pickle is damaged: {error!r}") from error
    if not isinstance(found, dict):
        raise BadArchive("its pickle holds no dictionary")
    return found


def _under(found: dict[Any, Any], key: str) -> Any:
    return found[key.encode()] if key.encode() in found else found[key]


def text(value: str | bytes) -> str:
    """Python 2 wrote bytes."""
    return value.decode("utf-8") if isinstance(value, bytes) else value


# Oxford-IIIT Pet


PET_IMAGES, PET_ANNOTATIONS = "images.tar.gz", "annotations.tar.gz"


def pet_lists(annotations: Path) -> dict[str, tuple[str, str]]:
    """Picture -> its breed and its part, from trainval.txt and test.txt; raises BadArchive where both are missing."""
    found: dict[str, tuple[str, str]] = {}
    for packed in files(annotations, Report()):
        part = {"trainval.txt": "train", "test.txt": "test"}.get(PurePosixPath(packed.name).name)
        if part:
            for line in packed.content.decode("utf-8", "replace").splitlines():
                words = line.split()
                if words and not line.startswith("#"):
                    found[words[0]] = (words[0].rsplit("_", 1)[0], part)
    if not found:
        raise BadArchive(f"{annotations.name} has neither trainval.txt nor test.txt")
    return found


def pet(images: Path, annotations: Path, report: Report) -> Iterator[tuple[str, str, str, bytes]]:
    """Name, breed, part and picture file; pictures that no list names, and names without a picture, are reported."""
    listed = pet_lists(annotations)
    missing = set(listed)
    for packed in files(images, report):
        path = PurePosixPath(packed.name)
        if path.suffix.lower() not in (".jpg", ".jpeg", ".png"):
            report.add("ignored", packed.name, "no picture by its name")
        elif path.stem not in listed:
            report.add("unlabelled", packed.name, "neither trainval.txt nor test.txt names it")
        else:
            missing.discard(path.stem)
            breed, part = listed[path.stem]
            yield path.name, breed, part, packed.content
    for name in sorted(missing):
        report.add("corrupt", name, f"is listed, but {images.name} does not hold it")
