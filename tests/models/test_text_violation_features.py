"""A text is seen the same however it is typed, and always within the contract."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.contract import check
from models.text_violation.contract import contract
from models.text_violation.features import SIZE, answer, encode, normalise


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("ＦＲＥＥ　Ｇｉｆｔ", "free gift"),
        ("ｾｰﾙ 今日だけ", "セール 今日だけ"),
        ("see https://a.example/x?y=1 now", "see www.b.example now"),
        ("write to me@a.example", "write to somebody.else@b.example"),
        ("月50万円", "月３９万円"),
        ("two\n\n  lines ", "two lines"),
        ("first 20479194", "first 3"),
        ("1,250円、2024-05-03 19:30", "3円、7 5"),
        ("ス マ ホ で 副 業", "スマホで副業"),
        ("F R E E gift", "free gift"),
        ("死\u200bね", "死ね"),
        ("bit.ly/x9", "https://a.example"),
        ("090-0000-0000まで", "+81 90 0000 0000まで"),
    ],
)
def test_what_means_the_same_looks_the_same(typed: str, meant: str) -> None:
    assert normalise(typed) == normalise(meant)
    assert np.array_equal(encode(typed.encode())["features"], encode(meant.encode())["features"])


def test_different_texts_look_different() -> None:
    assert not np.array_equal(encode("猫です".encode())["features"], encode("犬です".encode())["features"])


@settings(deadline=None)
@given(st.text(max_size=300))
def test_every_text_keeps_the_contract(text: str) -> None:
    check(contract(), encode(text.encode("utf-8", "ignore")))


def test_what_is_not_text_is_refused() -> None:
    with pytest.raises(ValueError, match="not UTF-8"):
        encode(b"\xff\xfe")


def test_what_is_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match="at most 20000"):
        encode(("a" * 20_001).encode())


@pytest.mark.parametrize("part", ["a", "a.", "a@", "+1", "1-", "a ", "www", "あ "])
def test_texts_that_look_like_the_beginning_of_something_are_taken(part: str) -> None:
    """At the longest, and again and again: what backtracks would not end."""
    assert encode((part * 20_000)[:20_000].encode())["features"].shape == (1, SIZE)


def test_the_answer_names_the_likeliest_kind_and_the_chance_of_a_violation() -> None:
    said = answer(contract(), {"violation": np.array([[0.25, 0.65, 0.1]], np.float32)})["violation"]
    assert (said["label"], said["score"]) == ("spam", 0.75)
    assert [entry["label"] for entry in said["top"]] == ["spam", "ok", "abuse"]


def test_the_default_answer_fits_the_outputs() -> None:
    manifest = contract()
    assert {name: len(row) for name, row in manifest.default.items()} == {"violation": 3}
