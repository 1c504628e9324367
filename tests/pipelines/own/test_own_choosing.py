"""What cannot be used is named, whatever it is; what can be used is dealt alike every time."""

import shutil
from pathlib import Path

import pytest
from PIL import Image

from pipelines.own import alike, choosing
from pipelines.own.choosing import TEST, TRAIN, Chosen, NothingToLearn
from pipelines.own.pictures import Pictures
from pipelines.own.report import Report
from tests.pipelines.own import material


def chosen(data: Path, report: Report | None = None, most: int = 100) -> Chosen:
    report = report or Report()
    return choosing.chosen(Pictures.of(str(data)), report, most)


def problems(report: Report) -> dict[str, str]:
    return {one.name: one.kind for one in report.problems}


def test_a_folder_is_dealt_by_label_and_alike_every_time(tmp_path: Path) -> None:
    first = chosen(material.folder_of(tmp_path / "a", ["red", "blue"], 20))
    for label in first.labels:
        parts = [one.part for one in first.pictures if one.label == label]
        assert (parts.count(TRAIN), parts.count(TEST)) == (16, 4)
    moved = tmp_path / "b"
    for path in sorted((tmp_path / "a").rglob("*.png")):
        (moved / path.parent.name).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, moved / path.parent.name / f"other-{path.name}")
    again = chosen(moved)
    assert again.sha256 == first.sha256
    (moved / "red" / "more.png").write_bytes(material.picture("red", 999))
    assert chosen(moved).sha256 != first.sha256


def test_everything_that_is_wrong_is_named(tmp_path: Path) -> None:
    data = material.folder_of(tmp_path / "data", ["red", "blue"], 20)
    good = (data / "red" / "0.png").read_bytes()
    (data / "red" / "cut.png").write_bytes(good[: len(good) // 2])
    (data / "red" / "empty.jpg").write_bytes(b"")
    (data / "red" / "page.png").write_bytes(b"<html>not found</html>")
    (data / "red" / "tiny.png").write_bytes(material.file(material.pixels((9, 9, 9), 1, 8)))
    (data / "red" / "twin.png").write_bytes(good)
    (data / "red" / "notes.txt").write_text("mine")
    (data / "loose.png").write_bytes(material.picture("blue", 777))
    (data / "lonely").mkdir()
    (data / "lonely" / "one.png").write_bytes(material.picture("grey", 1))
    report = Report()
    found = chosen(data, report)
    assert problems(report) | {"red/twin.png": "", "red/0.png": ""} == {
        "red/cut.png": "corrupt", "red/empty.jpg": "corrupt", "red/page.png": "corrupt", "red/tiny.png": "tiny",
        "red/notes.txt": "ignored", "loose.png": "unlabelled", "lonely": "too few", "red/twin.png": "", "red/0.png": "",
    }  # fmt: skip
    assert sorted({"red/0.png", "red/twin.png"} & problems(report).keys()) == ["red/twin.png"]
    assert found.labels == ["blue", "red"]
    assert report.used == {"blue": {TEST: 4, TRAIN: 16}, "red": {TEST: 4, TRAIN: 16}}


def test_the_same_file_in_train_and_test_leaks(tmp_path: Path) -> None:
    material.folder_of(tmp_path, ["red", "blue"], 8, "train")
    material.folder_of(tmp_path, ["red", "blue"], 4, "test")
    shutil.copyfile(tmp_path / "test/red/2.png", tmp_path / "train/red/copied.png")
    report = Report()
    found = chosen(tmp_path, report)
    assert problems(report) == {"train/red/copied.png": "leaking"}
    assert "test/red/2.png" in report.problems[0].why
    assert {one.name for one in found.pictures if one.part == TEST} == {
        f"test/{label}/{n}.png" for label in ("red", "blue") for n in range(4)
    }


@pytest.mark.parametrize("how", ["jpeg", "larger", "brighter"])
def test_the_same_picture_in_another_form_leaks(tmp_path: Path, how: str) -> None:
    material.folder_of(tmp_path, ["red", "blue"], 8, "train")
    material.folder_of(tmp_path, ["red", "blue"], 4, "test")
    with Image.open(tmp_path / "test/blue/1.png") as picture:
        changed = {
            "jpeg": picture, "larger": picture.resize((111, 111)), "brighter": picture.point(lambda v: min(255, v + 12))
        }[how]  # fmt: skip
        changed.save(tmp_path / "train/blue/disguised.jpg", quality=85)
    report = Report()
    chosen(tmp_path, report)
    assert problems(report) == {"train/blue/disguised.jpg": "leaking"}


def test_a_file_under_two_labels_is_used_under_none(tmp_path: Path) -> None:
    data = material.folder_of(tmp_path, ["red", "blue"], 10)
    shutil.copyfile(data / "red/3.png", data / "blue/red-3.png")
    report = Report()
    found = chosen(data, report)
    assert problems(report) == {"red/3.png": "duplicate", "blue/red-3.png": "duplicate"}
    assert not {"red/3.png", "blue/red-3.png"} & found.by_name.keys()


def test_different_pictures_do_not_look_alike() -> None:
    looks = [alike.look(material.picture(label, salt)) for label in ("red", "blue") for salt in range(40)]
    assert alike.pairs(looks) == []


def test_flat_pictures_are_not_compared() -> None:
    flat = [material.file(material.pixels((v, v, v), 0, 48) * 0 + v) for v in (10, 120, 240)]
    assert [alike.look(content) for content in flat] == [None] * 3


def test_no_label_gets_more_than_is_wanted(tmp_path: Path) -> None:
    found = chosen(material.folder_of(tmp_path, ["red", "blue"], 30), most=7)
    assert {(label, part): sum((one.label, one.part) == (label, part) for one in found.pictures)
            for label in found.labels for part in (TRAIN, TEST)} == {
        ("blue", TRAIN): 7, ("blue", TEST): 6, ("red", TRAIN): 7, ("red", TEST): 6,
    }  # fmt: skip


def test_one_label_teaches_nothing(tmp_path: Path) -> None:
    with pytest.raises(NothingToLearn, match="two"):
        chosen(material.folder_of(tmp_path, ["red"], 20))
