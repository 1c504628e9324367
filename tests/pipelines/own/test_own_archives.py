"""Published archives are read as they are published; what is wrong in them is named; nothing they name is written."""

import io
import pickle
import tarfile
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from pipelines.own import archives
from pipelines.own.archives import BadArchive
from pipelines.own.pictures import Picture, Pictures
from pipelines.own.report import Report
from tests.pipelines.own import material


def read(data: Path | str, report: Report | None = None) -> list[Picture]:
    return list(Pictures.of(str(data)).all(report or Report()))


def test_cifar_is_read_as_it_is_published(tmp_path: Path) -> None:
    found = read(material.cifar(tmp_path / "cifar-10-python.tar.gz", each=2, tested=1))
    assert len(found) == 5 * 3 * 2 + 3
    assert {one.label for one in found} == {"bird", "cat", "ship"}
    assert {one.part for one in found if one.name.startswith("test_batch")} == {"test"}
    first = next(one for one in found if one.name == "data_batch_1/bird_s_000000.png")
    assert Image.open(io.BytesIO(first.content)).getpixel((0, 0)) == tuple(
        int(v) for v in material.pixels(material.COLOURS["red"], 10_000 + 97 * 2, 32)[0, 0]
    )


def test_a_batch_that_is_damaged_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    report = Report()
    found = read(
        material.cifar(tmp_path / "c.tar.gz", each=2, tested=1, changes={"data_batch_3": b"\x80\x02cut"}), report
    )
    assert len(found) == 4 * 3 * 2 + 3
    assert [(one.kind, one.name) for one in report.problems] == [("corrupt", "cifar-10-batches-py/data_batch_3")]


class Harm:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        import os

        return os.system, ("touch harm",)


def test_a_pickle_that_wants_to_run_something_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    report = Report()
    evil = pickle.dumps({b"data": Harm(), b"labels": [1]}, protocol=2)
    read(material.cifar(tmp_path / "c.tar.gz", each=1, tested=1, changes={"data_batch_1": evil}), report)
    assert "system" in report.problems[0].why
    assert not (tmp_path / "harm").exists()


def test_a_label_number_without_a_name_is_reported(tmp_path: Path) -> None:
    report = Report()
    strange = material.cifar_batch([(99, material.pixels((1, 2, 3), 1, 32))], "training batch 1")
    read(material.cifar(tmp_path / "c.tar.gz", each=1, tested=1, changes={"data_batch_1": strange}), report)
    assert [one.kind for one in report.problems] == ["unlabelled"]


@pytest.mark.parametrize("named", ["folder", "images.tar.gz"])
def test_pets_are_read_as_they_are_published(tmp_path: Path, named: str) -> None:
    material.pet(tmp_path, each=4, tested=2, more={"images/Unheard_of_1.jpg": material.picture("grey", 5, "JPEG")})
    report = Report()
    data = tmp_path if named == "folder" else tmp_path / named
    found = read(data, report)
    assert Pictures.of(str(data)).layout == "Oxford-IIIT Pet"
    assert {(one.label, one.part) for one in found} == {
        (breed, part) for breed in ("Abyssinian", "american_bulldog") for part in ("train", "test")
    }
    assert len(found) == 2 * 6
    assert [(one.kind, one.name) for one in report.problems] == [
        ("ignored", "images/Abyssinian_100.mat"), ("unlabelled", "images/Unheard_of_1.jpg")
    ]  # fmt: skip


def test_a_pet_that_is_listed_and_not_there_is_named(tmp_path: Path) -> None:
    material.pet(tmp_path, each=4, tested=2)
    with tarfile.open(tmp_path / "images.tar.gz") as archive:
        left = {m.name: archive.extractfile(m).read() for m in archive if "bulldog_2" not in m.name}  # type: ignore[union-attr]
    material.tar(tmp_path / "images.tar.gz", left)
    report = Report()
    read(tmp_path, report)
    assert ("corrupt", "american_bulldog_2") in [(one.kind, one.name) for one in report.problems]


def test_an_archive_of_folders_is_read_whatever_lies_around_it(tmp_path: Path) -> None:
    names = [
        "set/train/red/1.png",
        "set/test/red/2.png",
        "set/blue/3.webp",
        "set/readme.txt",
        "__MACOSX/red/._1.png",
        "4.png",
    ]
    report = Report()
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        for at, name in enumerate(names):
            archive.writestr(name, material.picture("red", at))
    found = read(tmp_path / "set.zip", report)
    assert [(one.label, one.part) for one in found] == [("red", "train"), ("red", "test"), ("blue", None)]
    assert {(one.kind, one.name) for one in report.problems} == {("ignored", "set/readme.txt"), ("unlabelled", "4.png")}


def test_nothing_an_archive_names_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "inside").mkdir()
    monkeypatch.chdir(tmp_path / "inside")
    path = tmp_path / "evil.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name in ("../red/outside.png", "/red/absolute.png", "red/fine.png"):
            member = tarfile.TarInfo(name)
            content = material.picture("red", len(name))
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        link = tarfile.TarInfo("red/link.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    report = Report()
    assert {one.label for one in read(path, report)} == {"red"}
    assert [one.name for one in report.problems] == ["red/link.png"]
    assert list(tmp_path.rglob("*.png")) == []


def test_an_archive_that_was_cut_off_is_read_up_to_there(tmp_path: Path) -> None:
    whole = material.tar(tmp_path / "whole.tar.gz", {f"red/{n}.png": material.picture("red", n) for n in range(200)})
    (tmp_path / "cut.tar.gz").write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    report = Report()
    found = list(archives.files(tmp_path / "cut.tar.gz", report))
    assert 0 < len(found) < 200
    assert [(one.kind, one.name) for one in report.problems] == [("corrupt", "cut.tar.gz")]


def test_what_would_fill_the_memory_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = Report()
    path = material.tar(tmp_path / "a.tar.gz", {"red/large.png": b"\0" * 5000, "red/small.png": b"\0" * 10})
    assert [one.name for one in archives.files(path, report, largest=1000)] == ["red/small.png"]
    assert report.problems[0].kind == "too large"
    monkeypatch.setattr(archives, "MOST_FILES", 1)
    with pytest.raises(BadArchive, match="more than"):
        list(archives.files(path, Report()))
