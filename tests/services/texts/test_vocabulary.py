"""The file of this product's words: every category is in it, and no word means two things."""

import pytest
from pydantic import ValidationError

from models.labels import CATEGORIES
from services.texts.spelling import folded
from services.texts.tokens import Words
from services.texts.vocabulary import WORDS_FILE, AmbiguousWord, Vocabulary, WordsFile

FILE = """
quiet = []
[[category]]
label = "cat"
words = ["猫", "cat"]
[category.kinds]
"子猫" = ["kitten"]
[[same]]
words = ["黒", "{word}"]
"""


def vocabulary(word: str) -> Vocabulary:
    words = Words()
    return Vocabulary(FILE.format(word=word).encode(), lambda text: words.tokens(folded(text)))


def test_every_category_has_words_in_both_languages() -> None:
    import tomllib

    file = WordsFile.model_validate(tomllib.loads(WORDS_FILE.read_text()))
    assert [category.label for category in file.category] == [label.name for label in CATEGORIES]
    for category in file.category:
        every = [*category.words, *category.kinds, *(word for words in category.kinds.values() for word in words)]
        assert sum(word.isascii() for word in every) >= 8, category.label
        assert sum(not word.isascii() for word in every) >= 8, category.label


def test_a_word_with_two_meanings_is_refused_by_name() -> None:
    with pytest.raises(AmbiguousWord, match="Cats: 猫 or 黒"):
        vocabulary("Cats")


def test_a_word_that_is_none_is_refused() -> None:
    with pytest.raises(AmbiguousWord, match="0 parts"):
        vocabulary("!!")


def test_a_misspelt_key_is_refused() -> None:
    with pytest.raises(ValidationError, match="qiuet"):
        WordsFile.model_validate({"qiuet": [], "quiet": [], "category": [], "same": []})


def test_the_version_changes_with_the_file() -> None:
    assert vocabulary("black").version == vocabulary("black").version != vocabulary("noir").version
