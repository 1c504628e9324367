"""Pictures with a label, wherever they come from: a folder, an archive, or one of two well known sets."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pipelines.own import archives, fetching
from pipelines.own.report import Report

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}
PARTS = {"train": "train", "training": "train", "test": "test", "val": "test", "valid": "test", "validation": "test"}
"""Folders above the labels that say which part their pictures are of."""


class NothingThere(ValueError):
    """No pictures in any layout that is known."""


@dataclass(frozen=True)
class Picture:
    """One picture file. `part` is nothing where the data has no split of its own."""

    name: str
    label: str
    part: str | None
    content: bytes


@dataclass(frozen=True)
class Pictures:
    """Can be gone through more than once; holds one picture at a time."""

    data: str
    path: Path
    annotations: Path | None = None

    @classmethod
    def of(cls, data: str, folder: Path = fetching.RAW) -> "Pictures":
        """What somebody named, brought here; raises NotFetched."""
        path = fetching.brought(data, folder)
        if path.is_dir() and (path / archives.PET_IMAGES).is_file():
            data, path = str(path / archives.PET_IMAGES), path / archives.PET_IMAGES
        if path.name == archives.PET_IMAGES:
            return cls(data, path, fetching.brought(fetching.beside(data, archives.PET_ANNOTATIONS), folder))
        if path.is_file() and not archives.is_archive(path):
            raise NothingThere(f"{path.name} is neither a folder, nor a tar or zip archive, nor a .csv of texts")
        return cls(data, path)

    @property
    def layout(self) -> str:
        """What it is taken for."""
        if self.annotations:
            return "Oxford-IIIT Pet"
        if self.path.is_dir():
            return "a folder of LABEL/PICTURE files"
        return "CIFAR-10" if archives.is_cifar(self.path) else "an archive of LABEL/PICTURE files"

    def all(self, report: Report) -> Iterator[Picture]:
        """Every picture with a label, in an order that is always the same."""
        if self.annotations:
            yield from (Picture(*found) for found in archives.pet(self.path, self.annotations, report))
        elif self.path.is_dir():
            yield from in_folder(self.path, report)
        elif archives.is_cifar(self.path):
            yield from (Picture(*found) for found in archives.cifar(self.path, report))
        else:
            yield from in_archive(self.path, report)


def in_folder(folder: Path, report: Report) -> Iterator[Picture]:
    """FOLDER/LABEL/PICTURE, or FOLDER/train/LABEL/PICTURE and FOLDER/test/LABEL/PICTURE."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink() or not path.is_file():
            continue
        placed = place(name, report)
        if placed and path.stat().st_size > archives.LARGEST_FILE:
            report.add("too large", name, f"more than {archives.LARGEST_FILE} bytes")
        elif placed:
            yield Picture(name, *placed, path.read_bytes())


def in_archive(path: Path, report: Report) -> Iterator[Picture]:
    """The same, packed; a folder around all of it does not matter."""
    for packed in archives.files(path, report):
        if placed := place(packed.name, report):
            yield Picture(packed.name, *placed, packed.content)


def place(name: str, report: Report) -> tuple[str, str | None] | None:
    """The label and the part that the folders of a file say; reported where they say nothing."""
    path = PurePosixPath(name)
    if any(part.startswith((".", "__MACOSX")) for part in path.parts):
        return None
    if path.suffix.lower() not in SUFFIXES:
        report.add("ignored", name, f"no picture by its name: {', '.join(sorted(SUFFIXES))} are taken")
        return None
    folders = path.parts[:-1]
    if not folders or folders[-1].lower() in PARTS:
        report.add("unlabelled", name, "it lies in no folder that is named like a label")
        return None
    above = next((PARTS[one.lower()] for one in reversed(folders[:-1]) if one.lower() in PARTS), None)
    return folders[-1], above
