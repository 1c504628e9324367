"""Whether a text may be in one of the languages a model was made for, told by its script alone.

Short texts of people name brands, add emoji and mix languages; who guesses the language of ten characters guesses
wrong. A script is certain: a text that is mostly in Cyrillic is neither Japanese nor English.
"""

import unicodedata
from collections.abc import Collection, Sequence

SCRIPTS: dict[str, tuple[str, ...]] = {
    "en": ("LATIN",),
    "ja": ("HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "CJK", "IDEOGRAPHIC", "LATIN", "HALFWIDTH", "FULLWIDTH"),
}
"""First words of the Unicode names of a language's letters."""


def foreign(text: str, languages: Collection[str]) -> Sequence[str]:
    """The scripts that more than half of the text's letters are in, if none of the languages is written in them."""
    letters = [unicodedata.name(letter, "UNKNOWN").split()[0] for letter in text if letter.isalpha()]
    allowed = {script for language in languages for script in SCRIPTS.get(language, ())}
    others = [script for script in letters if script not in allowed]
    return sorted(set(others)) if allowed and len(others) * 2 > len(letters) else ()
