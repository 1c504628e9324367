"""What somebody meant who slipped: one letter wrong, missing, doubled or swapped."""

import pytest

from services.texts.respelling import Respelling
from services.texts.terms import Terms

WORDS = Respelling(
    ["cat", "kitten", "dog", "dolphin", "house", "watermelon", "子猫", "チューリップ", "ひまわり", "三毛猫"]
)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        *(("kittne", "kitten"), ("kiten", "kitten"), ("kittten", "kitten"), ("kitton", "kitten"), ("cta", "cat")),
        *(("kittns", "kitten"), ("dolfin", "dolphin"), ("wotermelonn", "watermelon"), ("ct", None), ("cut", None)),
        *(("ちゅーりぷ", "チューリップ"), ("ひまわい", "ひまわり"), ("ヒマワイ", "ひまわり"), ("三毛描", "三毛猫")),
        *(("kitten", None), ("KITTEN", None), ("kttin", None), ("xyz", None), ("", None)),
    ],
)
def test_one_slip_is_put_right_and_two_in_a_long_word(typed: str, meant: str | None) -> None:
    assert WORDS.nearest(typed) == meant


@pytest.mark.parametrize(
    ("query", "respelt", "groups"),
    [
        ("calcio cat", "calico cat", [["三毛猫"]]),
        ("tulp", "tulip", [["チューリップ"]]),
        ("りんごう", "リンゴ", [["林檎"]]),
        ("キャト", "キャット", [["猫"]]),
        ("赤いひまわい", "赤い ヒマワリ", [["赤"], ["向日葵"]]),
        ("白いちゅーりぷの写真", "白い チューリップ の写真", [["白"], ["チューリップ"]]),
        ("窓辺のにやんこ", "窓辺の にゃんこ", [["窓辺", "まどべ"], ["猫"]]),
        ("two kittnes, dark", "kitten ,", [["子猫"]]),
    ],
)
def test_only_the_slip_of_a_query_changes(terms: Terms, query: str, respelt: str, groups: list[list[str]]) -> None:
    found = terms.of_query(query).respelt
    assert found
    assert (found.query, found.groups) == (respelt, groups)


@pytest.mark.parametrize(
    "query", ["猫", "three cats", "the cat in the hat", "猫が好きです", "水族館", "2024", "", "!!!"]
)
def test_what_is_spelt_right_stays(terms: Terms, query: str) -> None:
    assert terms.of_query(query).respelt is None


def test_unfamiliar_words_are_told_as_they_were_typed_and_neighbours_together(terms: Terms) -> None:
    asked = terms.of_query("水族館の猫 whiskers")
    assert [(one.word, [asked.groups[place] for place in one.groups]) for one in asked.unfamiliar] == [
        ("水族館", [["水族", "すいぞく"], ["館"]]),
        ("whiskers", [["whisker"]]),
    ]
