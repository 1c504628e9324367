"""How a word is typed changes nothing, other words do; judged by the artefact that the pipeline made here."""

from collections.abc import Callable
from pathlib import Path

import pytest

from models.similar_words.features import spelt
from pipelines.similar_words.evaluate import served
from pipelines.similar_words.gold import Probe, read

Said = tuple[list[str], str | None]
KNOWN = ("drive", "ドライブ", "甘い", "wings", "翼", "springtime", "halloween", "ハロウィン", "berries", "traffic")


@pytest.fixture(scope="module")
def said(trained: Path) -> Callable[[str], Said]:
    path = trained / "data" / "similar_words" / "model" / "model.onnx"
    if not path.is_file():
        pytest.skip("similar_words is not trained here: scripts/train, or dvc repro pipelines/similar_words/dvc.yaml")
    ask = served(path)
    return lambda word: (list(ask(word).similar), ask(word).category)


def wide(text: str) -> str:
    """ASCII as full width."""
    return "".join(chr(ord(sign) + 0xFEE0) if "!" <= sign <= "~" else sign for sign in text)


@pytest.mark.parametrize("typed", [str.upper, wide, lambda text: f"  {text} "], ids=["case", "width", "space"])
def test_how_a_word_is_typed_changes_nothing(said: Callable[[str], Said], typed: Callable[[str], str]) -> None:
    for word in KNOWN:
        assert said(typed(word)) == said(word) != ([], None)


@pytest.mark.parametrize(("many", "one"), [("drives", "drive"), ("Pets", "pet"), ("festivals", "festival")])
def test_a_plural_finds_what_its_singular_finds(said: Callable[[str], Said], many: str, one: str) -> None:
    words = {spelt(word) for word in said(one)[0]}
    assert len(words & {spelt(word) for word in said(many)[0]}) >= len(words) // 2 > 0


@pytest.mark.parametrize(("katakana", "hiragana"), [("ドライブ", "どらいぶ"), ("ｸﾘｽﾏｽ", "くりすます")])
def test_either_kana_is_the_same(said: Callable[[str], Said], katakana: str, hiragana: str) -> None:
    assert said(katakana) == said(hiragana) != ([], None)


@pytest.mark.parametrize(
    ("word", "category"),
    [
        *(("meow", "cat"), ("drive", "car"), ("ドライブ", "car"), ("甘い", "food"), ("wings", "bird"), ("翼", "bird")),
        *(("springtime", "flower"), ("開花", "flower"), ("tropical", "fruit"), ("suburb", None), ("宇宙", None)),
    ],
)
def test_words_lead_to_their_category(said: Callable[[str], Said], word: str, category: str | None) -> None:
    assert said(word)[1] == category


def test_a_word_of_one_language_finds_words_of_the_other(said: Callable[[str], Said]) -> None:
    assert any(not word.isascii() for word in said("drive")[0])
    assert any(word.isascii() for word in said("翼")[0])


def test_words_that_are_none_are_answered_with_nothing(said: Callable[[str], Said]) -> None:
    for word in ("qwxzjk", "", "!!!", "くぁwせdrftg"):
        assert said(word) == ([], None)


def test_it_finds_what_people_would_look_for(said: Callable[[str], Said]) -> None:
    """More than half of words that the product's list does not know; the card has the exact figure and its interval."""

    def found(probe: Probe) -> bool:
        return bool({spelt(word) for word in said(probe.word)[0]} & {spelt(word) for word in probe.similar})

    probes = read()
    assert sum(map(found, probes)) >= len(probes) / 2
