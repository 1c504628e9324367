"""What is typed is seen the same however it is typed, and always within the contract."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.contract import check
from models.input_assist.contract import contract
from models.input_assist.features import LABELS, SIZE, answer, encode, normalise


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("ネコ", "ねこ"),
        ("ﾈｺ", "ねこ"),
        ("ＣＡＴ", "cat"),
        ("Cat!", "cat"),
        ("#cat", "cat"),
        ("two\n\n  cats ", "two cats"),
        ("猫 12", "猫 345"),
        ("ね\u200bこ", "ねこ"),
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
    assert encode(("あ " * 10_000).encode())["features"].shape == (1, SIZE)


@pytest.mark.parametrize(("threshold", "sure"), [(0.6, True), (0.7, False)])
def test_the_answer_is_sure_from_the_threshold_on(threshold: float, sure: bool) -> None:
    manifest = contract().model_copy(update={"thresholds": {"category_sure": threshold}})
    chances = np.full((1, len(LABELS)), 0.035, np.float32)
    chances[0, LABELS.index("dog")] = 0.65
    said = answer(manifest, {"category": chances})["category"]
    assert (said["label"], said["sure"], len(said["top"])) == ("dog", sure, 3)


def test_the_default_answer_names_nothing() -> None:
    manifest = contract()
    row = np.array([manifest.default["category"]], np.float32)
    assert row.shape == (1, len(LABELS))
    said = answer(manifest, {"category": row})["category"]
    assert (said["label"], said["sure"]) == ("none", False)
