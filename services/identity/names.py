"""What a user may be called: letters that cannot be mistaken for others, in one spelling."""

import re
import unicodedata
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

ALLOWED = re.compile(r"[0-9A-Za-z_.\-ぁ-ゖァ-ヺー々〇一-鿿]{3,32}")
RULE = "3 to 32 of a-z, A-Z, 0-9, hiragana, katakana, kanji, `_`, `-` and `.`"


def spelled(name: str) -> str:
    """The one spelling of a name: full-width latin and half-width kana are the same letters."""
    return unicodedata.normalize("NFKC", name).strip()


def key_of(name: str) -> str:
    """What names are compared by: case makes no other name."""
    return spelled(name).casefold()


def possible(name: str) -> bool:
    """Whether somebody can have that name."""
    return ALLOWED.fullmatch(spelled(name)) is not None


def _checked(name: str) -> str:
    if not possible(name):
        raise ValueError(f"must be {RULE}")
    return spelled(name)


Name = Annotated[str, StringConstraints(max_length=64), AfterValidator(_checked)]
