"""A text in another script is told from one in Japanese or English, whatever else is mixed in."""

import pytest

from models.languages import foreign


@pytest.mark.parametrize(
    "text",
    [
        "Two cats",
        "三毛猫がいます。",
        "ねこ",
        "ネコカフェ",
        "ﾈｺ",
        "ＡＢＣ",
        "iPhone 15 を売ります",
        "café naïve",
        "👍 100%",
        "",
        "123-456",
        "お茶です (чай)",
    ],
)
def test_japanese_and_english_pass(text: str) -> None:
    assert not foreign(text, ("ja", "en"))


@pytest.mark.parametrize(
    ("text", "script"), [("Продам кота", "CYRILLIC"), ("고양이", "HANGUL"), ("قطة جميلة", "ARABIC"), ("แมว", "THAI")]
)
def test_other_scripts_are_named(text: str, script: str) -> None:
    assert foreign(text, ("ja", "en")) == [script]


def test_only_what_is_asked_for_counts() -> None:
    assert foreign("ねこ", ("en",)) == ["HIRAGANA"]
    assert not foreign("Продам", ()), "a model that names no language takes all"
    assert not foreign("Продам", ("ru",)), "nor is a language refused whose script is not known here"
