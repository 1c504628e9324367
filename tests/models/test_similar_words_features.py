"""A word is seen the same however it is typed, and always within the contract."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.contract import check
from models.similar_words.contract import contract
from models.similar_words.features import (
    LONGEST_ANSWER,
    MOST_PIECES,
    MOST_SIMILAR,
    NOTHING,
    answer,
    encode,
    pieces,
    spelt,
    variants,
    written,
)


@pytest.mark.parametrize(
    ("typed", "meant"), [("ｃａｔ", "cat"), ("CAT", "cat"), ("ﾈｺ", "ねこ"), ("ネコ", "ねこ"), (" hot  dog", "Hot Dog")]
)
def test_what_is_the_same_word_looks_the_same(typed: str, meant: str) -> None:
    for name, tensor in encode(typed.encode()).items():
        assert np.array_equal(tensor, encode(meant.encode())[name])


@pytest.mark.parametrize(
    ("word", "forms"),
    [("cats", ["cats", "cat"]), ("berries", ["berries", "berrie", "berry"]), ("glass", ["glass"]), ("猫s", ["猫s"])],
)
def test_a_plural_is_also_its_singular(word: str, forms: list[str]) -> None:
    assert list(variants(word))[: len(forms)] == forms


def test_a_phrase_has_its_words_as_pieces_and_a_japanese_word_what_is_in_it() -> None:
    assert list(pieces("black cats")) == ["black", "cats", "cat"]
    assert list(pieces("洋菓子")) == ["洋菓", "菓子", "洋", "菓", "子"]
    assert list(pieces("cat")) == list(pieces("ねこ")) == []


def test_spellings_come_first_in_their_order_and_the_rest_is_nothing() -> None:
    words = encode("ねこ\n猫\ncat".encode())["words"][0]
    assert list(words[:3]) == [encode(word.encode())["words"][0, 0] for word in ("ねこ", "猫", "cat")]
    assert set(words[3:]) == {NOTHING}


@settings(deadline=None)
@given(st.text(max_size=300))
def test_every_text_keeps_the_contract(text: str) -> None:
    check(contract(), encode(text.encode("utf-8", "ignore")))


@pytest.mark.parametrize(("raw", "why"), [(b"\xff\xfe", "not UTF-8"), (b"a" * 2001, "at most 2000")])
def test_other_bytes_are_refused(raw: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        encode(raw)


def test_the_longest_word_keeps_hosts_busy_for_no_time() -> None:
    assert encode(("漢" * 2000).encode())["pieces"].shape == (1, MOST_PIECES)


def test_the_answer_reads_the_words_and_leaves_out_what_is_none() -> None:
    outputs = {
        "similar": np.concatenate([written(["猫", "kitten"]), np.zeros((MOST_SIMILAR - 2, LONGEST_ANSWER), np.uint8)])[
            None
        ],
        "score": np.array([[0.9, 0.6, *[0.0] * (MOST_SIMILAR - 2)]], np.float32),
        "category": np.array([[0.5, *[0.0] * 9]], np.float32),
    }
    said = answer(contract(), outputs)
    assert said["similar"] == [{"word": "猫", "score": 0.9}, {"word": "kitten", "score": 0.6}]
    assert said["category"] == {"label": "cat", "score": 0.5}


def test_the_default_answers_nothing() -> None:
    default = {name: np.array([row]) for name, row in contract().default.items()}
    assert answer(contract(), default) == {"similar": [], "category": None}


def test_one_spelling_is_no_longer_than_a_word() -> None:
    assert len(spelt("a" * 500)) == 64
