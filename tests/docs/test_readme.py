"""The README's tables name what is there, and both languages say the same."""

import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from scripts.runner.site import ROOT
from tests.docs.markdown import Document, document

ENGLISH, JAPANESE = document("README.md"), document("README.ja.md")
BOTH = pytest.mark.parametrize("readme", [ENGLISH, JAPANESE], ids=lambda readme: readme.name)
SERVICES, PATTERNS, MODELS = 1, 2, 3
"""Which table of the README is which."""


def topology() -> dict[str, Any]:
    return dict(YAML(typ="safe").load((ROOT / "compose.yaml").read_text()))


def names(folder: str, pattern: str = "[a-z]*.py") -> set[str]:
    return {path.relative_to(ROOT).as_posix() for path in (ROOT / folder).glob(pattern)}


@BOTH
def test_the_table_of_services_is_that_of_compose(readme: Document) -> None:
    running = [name for name, it in topology()["services"].items() if it.get("deploy", {}).get("replicas") != 0]
    assert sorted(readme.tables[SERVICES].column()) == sorted(running)


@BOTH
def test_every_pattern_has_its_row(readme: Document) -> None:
    told = re.findall(r"services/(?:patterns|sources)/\w+\.py", " ".join(readme.tables[PATTERNS].column(1)))
    assert set(told) >= names("services/patterns")
    assert {path for path in told if not (ROOT / path).is_file()} == set()


@BOTH
def test_every_source_of_predictors_has_its_row(readme: Document) -> None:
    # A source is a file whose docstring begins with its own name; the others are what they are made of.
    sources = {path for path in names("services/sources") if _begins_with_its_name(ROOT / path)}
    assert len(sources) >= 2
    assert sources <= set(re.findall(r"services/\w+/\w+\.py", " ".join(readme.tables[PATTERNS].column(1))))


def _begins_with_its_name(path: Path) -> bool:
    return path.read_text().lower().startswith(f'"""{path.stem.replace("_", "-")}:')


@BOTH
def test_every_model_has_its_row(readme: Document) -> None:
    folders = {path.parent.name for path in (ROOT / "models").glob("*/contract.py")}
    assert set(readme.tables[MODELS].column()) == folders


@BOTH
def test_commands_exist(readme: Document) -> None:
    named = set(re.findall(r"\bscripts/[a-z][a-z_-]*[a-z]", readme.text))
    assert len(named) > 4
    assert {path for path in named if not (ROOT / path).exists()} == set()


def test_both_languages_have_the_same_shape() -> None:
    assert [level for level, _ in ENGLISH.headings] == [level for level, _ in JAPANESE.headings]
    assert [len(table.rows) for table in ENGLISH.tables] == [len(table.rows) for table in JAPANESE.tables]
    assert len(ENGLISH.blocks) == len(JAPANESE.blocks)


def test_both_languages_have_the_same_rows() -> None:
    for english, japanese in zip(ENGLISH.tables, JAPANESE.tables, strict=True):
        assert _codes(english.rows) == _codes(japanese.rows)


def _codes(rows: list[list[str]]) -> list[set[str]]:
    """What stands in backticks, and references to slides: the same in every language."""
    return [set(re.findall(r"`[^`]+`|\bS\d+\b", " ".join(row))) for row in rows]


def test_figures_are_the_same_in_both_languages() -> None:
    english, japanese = ENGLISH.tables[-1], JAPANESE.tables[-1]
    for one, other in zip(english.rows, japanese.rows, strict=True):
        assert re.findall(r"\d+(?:\.\d+)?|\?", " ".join(one[1:])) == re.findall(
            r"\d+(?:\.\d+)?|\?", " ".join(other[1:])
        )


def test_nobody_looks_at_pictures_that_are_too_large() -> None:
    pictures = list((ROOT / "docs" / "pictures").glob("*.png"))
    assert {path.stem for path in pictures} >= {
        f"{page}-{language}" for page in ("home", "item", "register", "status") for language in ("en", "ja")
    }
    assert [path.name for path in pictures if path.stat().st_size > 250_000] == []
