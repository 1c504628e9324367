"""Every dependency that somebody named has its row: what it is for."""

import json
import re
from collections.abc import Iterator

from scripts.runner.site import ROOT
from tests.docs.markdown import document

FOLDER = ROOT / "requirements"
PAGE = document("requirements/README.md")
INSTALLED_APART = {("mlflow", "mlflow"), ("torch", "training")}
"""In no list: one without its dependencies, one from another index."""


def named() -> Iterator[tuple[str, str]]:
    """Package and list, for every direct dependency."""
    for file in FOLDER.glob("*.in"):
        for line in file.read_text().splitlines():
            if found := re.match(r"([A-Za-z][\w.-]*)", line):
                yield found[1], file.stem
    for name in json.loads((FOLDER / "npm" / "package.json").read_text())["dependencies"]:
        yield name, "npm"
    yield from INSTALLED_APART


def told() -> list[tuple[str, str]]:
    """The same, of the page."""
    rows = PAGE.table("package").rows
    return [(row[0].strip("`"), where) for row in rows for where in row[1].split(", ")]


def test_the_table_names_every_dependency_and_nothing_else() -> None:
    assert sorted(told()) == sorted(set(named()))


def test_every_dependency_says_what_it_is_for() -> None:
    assert [row for row in PAGE.table("package").rows if len(row[2]) < 4] == []


def test_every_list_of_packages_has_its_row() -> None:
    lists = {path.stem for path in FOLDER.glob("*.in")} | {"tools.txt", "npm/"}
    assert set(PAGE.table("file").column()) == lists
