"""Whatever somebody writes, they mean the same: spellings, scripts, widths, languages."""

import pytest

from models.labels import CATEGORIES
from services.texts.terms import READ_AS, Terms

ONE_MEANING = {
    "猫": [
        "ねこ",
        "ネコ",
        "ﾈｺ",
        "猫",
        "ＣＡＴ",
        "cats",
        "Cat!!",
        "ネコちゃん",
        "ねこーー",
        "にゃんこ",
        "the cat's",
        "飼い猫",
    ],
    "犬": ["いぬ", "イヌ", "ｲﾇ", "犬", "わんこ", "わんちゃん", "ワンワン", "dogs", "DOG"],
    "子猫": ["子猫", "仔猫", "こねこ", "子ネコ", "kitten", "Kittens", "kitty"],
    "子犬": ["子犬", "仔犬", "puppy", "puppies"],
    "鳥": ["とり", "トリ", "鳥", "birds"],
    "魚": ["さかな", "おさかな", "お魚", "サカナ", "fishes"],
    "虫": ["むし", "ムシ", "昆虫", "insects", "bug"],
    "花": ["花", "はな", "お花", "flowers", "Blossom"],
    "桜": ["サクラ", "さくら", "桜", "ｻｸﾗ", "cherry blossoms"],
    "果物": ["果物", "くだもの", "フルーツ", "fruits"],
    "林檎": ["リンゴ", "林檎", "りんご", "apples"],
    "車": ["クルマ", "くるま", "車", "自動車", "cars", "automobile"],
    "家": ["家", "いえ", "おうち", "house", "HOUSES"],
    "寿司": ["寿司", "すし", "スシ", "お寿司", "鮨", "sushi"],
    "ラーメン": ["ラーメン", "らーめん", "ラ〜メン", "ﾗｰﾒﾝ", "拉麺", "ramen"],
    "薔薇": ["バラ", "ばら", "薔薇", "roses"],
    "黒": ["黒い", "真っ黒", "ブラック", "black"],
}
SPELLINGS = [(spelling, name) for name, spellings in ONE_MEANING.items() for spelling in spellings]


@pytest.mark.parametrize(("spelling", "name"), SPELLINGS)
def test_spellings_of_one_meaning_ask_for_the_same_and_are_filed_under_it(
    terms: Terms, spelling: str, name: str
) -> None:
    assert terms.of_query(spelling).groups == [[name]]
    assert terms.of_text(spelling)[1][0] == name


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("コンピュータ", "コンピューター"),
        ("サーバ", "サーバー"),
        ("ヴァイオリン", "バイオリン"),
        ("café", "CAFE"),
        ("running", "runs"),
        ("寝ている", "寝る"),
        ("ガラス", "ｶﾞﾗｽ"),
        ("colour", "color"),
        ("３びき", "3匹"),
    ],
)
def test_words_without_an_entry_are_unified_too(terms: Terms, one: str, other: str) -> None:
    assert terms.of_text(one)[1][:1] == terms.of_text(other)[1][:1]


@pytest.mark.parametrize(
    ("text", "filed_under"),
    [
        ("黒猫", ["黒", "猫"]),
        ("かわいい猫", ["可愛い", "猫"]),
        ("柴犬", ["柴犬", "犬"]),
        ("きれいなはなが咲いた", ["奇麗", "花", "咲く"]),
        ("hot dog", ["ホットドッグ", "食べ物"]),
        ("わんこそば", ["そば", "食べ物"]),
        ("an orange cat", ["オレンジ", "猫"]),
        ("白いネコが外で寝ている", ["白", "猫", "外", "眠る"]),
    ],
)
def test_what_texts_are_filed_under(terms: Terms, text: str, filed_under: list[str]) -> None:
    assert terms.of_text(text)[1] == filed_under


def test_a_kind_can_be_relaxed_to_its_category(terms: Terms) -> None:
    asked = terms.of_query("白い子猫")
    assert asked.groups == [["白"], ["子猫"]]
    assert asked.broader == [["白"], ["子猫", "猫"]]
    assert asked.category == "cat"


def test_a_hot_dog_is_no_dog(terms: Terms) -> None:
    assert "犬" not in terms.of_text("hot dog")[1]


def test_kana_find_the_kanji_read_so_and_kanji_no_other_kanji(terms: Terms) -> None:
    mountain_hut = set(terms.of_text("校庭")[1])
    assert mountain_hut & set(terms.of_query("こうてい").groups[0])
    assert not mountain_hut & set(terms.of_query("皇帝").groups[0])
    assert READ_AS + "こうてい" in mountain_hut


@pytest.mark.parametrize("label", CATEGORIES, ids=lambda label: label.name)
def test_every_label_is_a_word_of_its_category_in_both_languages(terms: Terms, label: object) -> None:
    for word in (label.en, label.ja, label.name):  # type: ignore[attr-defined]
        asked = terms.of_query(word)
        assert asked.category == label.name  # type: ignore[attr-defined]
        assert asked.groups == [[label.ja]]  # type: ignore[attr-defined]


def test_grammar_and_little_words_are_left_out(terms: Terms) -> None:
    assert terms.of_query("the cat and the dog").groups == [["猫"], ["犬"]]
    assert terms.of_query("猫と犬が").groups == [["猫"], ["犬"]]


def test_quiet_words_count_only_when_they_are_alone(terms: Terms) -> None:
    assert terms.of_query("猫の写真").groups == [["猫"]]
    assert "写真" in terms.of_query("写真").groups[0]


@pytest.mark.parametrize("nothing", ["", "  ", "!!!", "🐱", "'; DROP", "%_\\"])
def test_signs_alone_ask_for_nothing_and_break_nothing(terms: Terms, nothing: str) -> None:
    assert terms.of_query(nothing).groups in ([], [["drop"]])


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("ねこがいる", "ja"),
        ("猫", "ja"),
        ("a cat", "en"),
        ("猫 with a hat", "mixed"),
        ("新しいカメラで撮ったうちの猫 A", "ja"),
        ("12345", "other"),
        ("", "other"),
    ],
)
def test_the_language_goes_by_script(terms: Terms, text: str, language: str) -> None:
    assert terms.of_text(text)[0] == language
    assert terms.of_query(text).language == language


def test_threads_share_the_rules(terms: Terms) -> None:
    from concurrent.futures import ThreadPoolExecutor

    text = "白いネコが公園のベンチで気持ちよさそうに昼寝をしている"
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: tuple(terms.of_text(text)[1]), range(200)))
    assert set(found) == {tuple(terms.of_text(text)[1])}
