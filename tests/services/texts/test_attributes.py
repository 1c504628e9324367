"""What a picture should show besides its words: how many, where, how bright, indoors or outdoors."""

import pytest

from services.texts.attributes import MOST, Wanted, heard, spellings
from services.texts.spelling import folded
from services.texts.terms import Terms


@pytest.fixture(scope="module")
def terms() -> Terms:
    return Terms()


@pytest.mark.parametrize(
    ("query", "wanted", "rest"),
    [
        ("猫 3匹 暗い 外", Wanted(count=3, brightness="dark", place="outdoors"), "猫"),
        ("猫3匹暗い外", Wanted(count=3, brightness="dark", place="outdoors"), "猫"),
        ("three cats, dark", Wanted(count=3, brightness="dark"), "cats,"),
        ("two dogs on the left indoors", Wanted(count=2, where=("left",), place="indoors"), "dogs"),
        ("３びきのねこ", Wanted(count=3), "ねこ"),
        ("ＴＷＯ　ＣＡＴＳ", Wanted(count=2), "cats"),
        ("鳥が五羽", Wanted(count=5), "鳥が"),
        ("花 三本", Wanted(count=3), "花"),
        ("りんご二つ", Wanted(count=2), "りんご"),
        ("リンゴみっつ", Wanted(count=3), "リンゴ"),
        ("卵 十二個", Wanted(count=12), "卵"),
        ("車 ２台 屋外", Wanted(count=2, place="outdoors"), "車"),
        ("猫 2匹以上", Wanted(count=2, at_least=True), "猫"),
        ("たくさんの花", Wanted(count=3, at_least=True), "花"),
        ("a pair of dogs", Wanted(count=2), "dogs"),
        ("a dozen eggs", Wanted(count=12), "eggs"),
        ("at least 3 birds", Wanted(count=3, at_least=True), "birds"),
        ("more than two birds", Wanted(count=3, at_least=True), "birds"),
        ("three or more birds", Wanted(count=3, at_least=True), "birds"),
        ("many cats", Wanted(count=3, at_least=True), "cats"),
        ("左上の猫", Wanted(where=("top", "left")), "猫"),
        ("画面の右に犬", Wanted(where=("right",)), "犬"),
        ("まんなかの花", Wanted(where=("centre",)), "花"),
        ("上 猫", Wanted(where=("top",)), "猫"),
        ("dog bottom right, dark", Wanted(where=("bottom", "right"), brightness="dark"), "dog  ,"),
        ("a cat in the middle", Wanted(where=("centre",)), "a cat"),
        ("cat left", Wanted(where=("left",)), "cat"),
        ("明るい部屋の猫", Wanted(brightness="bright"), "部屋の猫"),
        ("bright flowers indoors", Wanted(brightness="bright", place="indoors"), "flowers"),
        ("犬が室内で", Wanted(place="indoors"), "犬が"),
        ("a cat outside", Wanted(place="outdoors"), "a cat"),
        ("暗い", Wanted(brightness="dark"), ""),
    ],
)
def test_attributes_are_heard_in_both_languages(query: str, wanted: Wanted, rest: str) -> None:
    found, left = heard(folded(query))
    assert found == wanted
    assert left.strip() == rest


@pytest.mark.parametrize(
    "query",
    [
        *("三毛猫", "一軒家", "五輪", "千羽鶴", "3匹目の猫", "2020年の花", "35 mm", "one of my cats", "no one"),
        *("屋根の上の猫", "靴下の猫", "上野の猫", "上海", "bird on top of the roof", "crop top", "all right"),
        *("dark blue car", "dark chocolate cake", "明るい茶色の犬", "ダークチョコ", "bright red rose"),
        *("外国の車", "海外", "外れ", "inside out", "outside of the box"),
    ],
)
def test_words_that_only_look_like_attributes_stay_words(query: str) -> None:
    assert heard(folded(query)) == (Wanted(), folded(query))


@pytest.mark.parametrize(
    ("query", "count"), [("猫 3", 3), ("cats 3", 3), ("猫 三", 3), ("cats three", 3), ("猫 ３ 外", 3)]
)
def test_a_bare_number_counts_beside_a_thing(terms: Terms, query: str, count: int) -> None:
    asked = terms.of_query(query)
    assert asked.wanted.count == count
    assert asked.groups == [["猫"]]


@pytest.mark.parametrize("query", ["iphone 15", "seven eleven", "2020", "3月の花", f"cats {MOST + 1}", "b-52", "no. 3"])
def test_other_numbers_are_words(terms: Terms, query: str) -> None:
    assert not terms.of_query(query).wanted


def test_what_became_an_attribute_need_not_stand_in_the_text_but_may(terms: Terms) -> None:
    asked = terms.of_query("明るい部屋の三匹の猫")
    assert asked.groups == [["部屋"], ["猫"]]
    assert asked.said == {"brightness": ["明るい"], "count": ["3", "three"]}
    assert "明るい" in terms.of_text("明るい猫")[1]


def test_attributes_alone_leave_no_words(terms: Terms) -> None:
    for query in ("暗い", "暗い写真", "outside", "dark pictures"):
        assert terms.of_query(query).groups == []
        assert terms.of_query(query).wanted


def test_phrases_of_the_vocabulary_are_words_first(terms: Terms) -> None:
    assert terms.of_query("一軒家").groups == [["家"]]
    assert not terms.of_query("一軒家").wanted


@pytest.mark.parametrize(
    ("number", "written"), [(3, ["3", "三", "three"]), (10, ["10", "十", "ten"]), (12, ["12", "十二", "twelve"])]
)
def test_numbers_as_texts_have_them(number: int, written: list[str]) -> None:
    assert spellings(number) == written
