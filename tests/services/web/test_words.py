"""Every word is there in both languages, and nothing is said in only one."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from string import Formatter
from typing import get_args

import pytest

from services.contracts import Reason
from services.items.life import State
from services.web import language
from services.web.language import FOLDER, Words, flat, read_words, wanted

TEMPLATES = Path(language.__file__).parent / "templates"
FIXED = re.compile(r"""(?<![\w.])t\('([a-z0-9_.]+)'[,)]""")
IN_CODE = re.compile(r"""words\(visit\)\(\s*"([a-z_.]+)""")


def used() -> set[str]:
    """Keys that templates and code name in full."""
    found = {key for page in TEMPLATES.rglob("*.html") for key in FIXED.findall(page.read_text())}
    return found | {key for file in TEMPLATES.parent.glob("*.py") for key in IN_CODE.findall(file.read_text())}


def test_both_languages_have_the_same_keys() -> None:
    assert set(flat(FOLDER / "en.toml")) == set(flat(FOLDER / "ja.toml"))


def test_both_languages_fill_in_the_same_values() -> None:
    def holes(words: str) -> set[str]:
        return {name for _, name, _, _ in Formatter().parse(words) if name}

    english, japanese = flat(FOLDER / "en.toml"), flat(FOLDER / "ja.toml")
    assert {key for key in english if holes(english[key]) != holes(japanese[key])} == set()


def test_every_key_that_is_used_exists() -> None:
    assert len(used()) > 100
    assert used() - set(flat(FOLDER / "en.toml")) == set()


def test_every_state_and_reason_has_words() -> None:
    words = read_words()["en"]
    for state in State:
        assert f"state.{state}" in words
        assert f"progress.{state}" in words
    for kind in get_args(Reason.model_fields["kind"].annotation):
        assert f"reason.{kind}" in words


def test_nothing_in_the_catalogue_is_unused() -> None:
    text = "".join(page.read_text() for page in TEMPLATES.rglob("*.html"))
    text += "".join(file.read_text() for file in TEMPLATES.parent.glob("*.py"))
    built = (
        "state.",
        "progress.",
        "reason.",
        "error.",
        "fault.",
        "ago.",
        "run.",
        "status.",
        "shows.",
        "models.verdict_",
    )
    assert {key for key in flat(FOLDER / "en.toml") if key not in text and not key.startswith(built)} == set()


def test_templates_say_nothing_themselves() -> None:
    """Japanese in a template would be shown to English readers too; the switch names the other language."""
    kana = re.compile(r"[ぁ-ヿ一-鿿]")
    found = [line for page in TEMPLATES.rglob("*.html") for line in page.read_text().splitlines() if kana.search(line)]
    assert [line for line in found if 'lang="ja"' not in line] == []


@pytest.mark.parametrize(
    ("cookie", "accept", "expected"),
    [
        ("ja", "en", "ja"),
        (None, "ja-JP,ja;q=0.9,en;q=0.8", "ja"),
        (None, "en;q=0.5, ja;q=0.4", "en"),
        (None, "fr-FR, ja;q=0.1", "ja"),
        (None, "de", "en"),
        (None, None, "en"),
        ("xx", "ja;q=x, ,;;", "en"),
        (None, "ja;q=0", "en"),
    ],
)
def test_the_language_is_the_one_wanted(cookie: str | None, accept: str | None, expected: str) -> None:
    assert wanted(cookie, accept) == expected


def test_time_is_told_in_words() -> None:
    now = datetime(2026, 1, 2, tzinfo=UTC)
    words = read_words()["ja"]
    assert words.ago(now - timedelta(seconds=5), now) == "たった今"
    assert words.ago(now - timedelta(minutes=3), now) == "3 分前"
    assert words.ago(now - timedelta(days=2, hours=5), now) == "2 日前"
    assert words.ago(now + timedelta(hours=1), now) == "たった今"


def test_tags_come_in_one_language() -> None:
    assert read_words()["ja"].tags(["cat", "猫", "三毛"]) == ["猫", "三毛"]
    assert read_words()["en"].tags(["cat", "猫"]) == ["cat"]


def test_values_are_not_filled_in_twice() -> None:
    assert Words("en", {"greeting": "{name}!"})("greeting", name="{x} {0}") == "{x} {0}!"
