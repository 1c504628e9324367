"""One word, one meaning."""

from tests.docs.markdown import document

WORDS = document("docs/glossary.md").table("word")


def test_words_are_unique_in_both_languages() -> None:
    english, japanese = [cell.strip("*") for cell in WORDS.column()], WORDS.column(2)
    assert len(english) == len(set(english))
    assert len(japanese) == len(set(japanese))


def test_every_word_has_a_meaning_and_a_translation() -> None:
    assert [row for row in WORDS.rows if len(row) != 3 or not all(row)] == []
