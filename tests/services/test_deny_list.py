"""Labels that no model shows by itself, however they are written."""

from pathlib import Path

import pytest

from models.labels import CATEGORIES, PICTURE_VIOLATIONS, TEXT_VIOLATIONS
from services.deny_list import FILE, DenyList, DenySettings, plain

LISTED = DenyList.read()

WRITTEN = [
    "gorilla", "Gorilla", "GORILLAS", "ｇｏｒｉｌｌａ", "western_lowland_gorilla", "gorilla-silverback",
    "go\u200brilla", "ゴリラ", "ごりら", "ｺﾞﾘﾗ", "ニシローランドゴリラ", "monkeys", "a monkey", "猿", "日本猿",
    "サル", "さる", "ape", "apes",
    "類人猿", "orang-utan", "Orang Utans", "pigs", "terrorist", "犯罪者",
]  # fmt: skip
HARMLESS = [
    "cat",
    "猫",
    "grape",
    "shape",
    "cape",
    "pigeon",
    "サルビア",
    "さるすべり",
    "human",
    "人",
    "thirsty",
    "",
    "🙂",
]


@pytest.mark.parametrize("label", WRITTEN)
def test_a_listed_word_is_found_however_it_is_written(label: str) -> None:
    assert label in LISTED


@pytest.mark.parametrize("label", HARMLESS)
def test_what_only_looks_like_one_is_not(label: str) -> None:
    assert label not in LISTED


def test_none_of_the_products_own_labels_is_listed() -> None:
    labels = (*CATEGORIES, *PICTURE_VIOLATIONS, *TEXT_VIOLATIONS)
    assert [name for label in labels for name in (label.name, label.en, label.ja) if name in LISTED] == []


def test_a_label_is_denied_by_any_of_its_names() -> None:
    for word in ("insect", "Insects", "虫"):
        assert "insect" in DenyList([word])
        assert "虫" in DenyList([word])
        assert "bird" not in DenyList([word])


def test_what_is_left_is_in_order() -> None:
    assert LISTED.without(["cat", "gorilla", "猫", "ゴリラ"]) == ["cat", "猫"]


def test_nearly_said_is_what_is_hardly_behind_the_best() -> None:
    top = [{"label": "human", "score": 0.7}, {"label": "gorilla", "score": 0.3}]
    assert LISTED.nearly(top) == top[1]
    assert DenyList(["gorilla"], near=0.3).nearly(top) is None
    assert DenyList(["human"], near=0.3).nearly(top) == top[0]
    assert LISTED.nearly([]) is None


def test_a_fork_adds_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DENIED_LABELS", " insect , 家,")
    denied = DenySettings().deny_list
    assert all(label in denied for label in ("insect", "house", "gorilla"))
    assert "cat" not in denied


def test_a_file_that_is_none_is_refused_at_start(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        DenyList.read(file=tmp_path / "none.toml")
    (tmp_path / "torn.toml").write_text("[[denied]]\nwhy = 'no words'")
    with pytest.raises(KeyError):
        DenyList.read(file=tmp_path / "torn.toml")
    assert FILE.is_file()


def test_an_empty_word_denies_nothing() -> None:
    assert "cat" not in DenyList(["", " ", "_"])
    assert plain("  ＿ ") == ""
