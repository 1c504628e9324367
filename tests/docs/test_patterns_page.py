"""docs/patterns.md tells every pattern there is, and what it names exists."""

import re
from functools import cache

import pytest

from scripts.runner import settings_page
from scripts.runner.site import ROOT
from services.wiring import known
from tests.docs.markdown import Table, document

PAGE = document("docs/patterns.md")
HEAD = ["pattern", "what the talk says", "code", "where wired", "how to see it", "test"]
NAME, TALK, CODE, WIRED, SEEN, TEST = range(6)
HOSTS = {"synchronous", "asynchronous", "batch"}
SETTING = re.compile(r"`([A-Z][A-Z0-9_]*(?:<[A-Z]+>[A-Z0-9_]*)?)`")
METRIC = re.compile(r"`([a-z]+(?:_[a-z]+)+)`")
FILE = re.compile(r"`((?:services|tests)/[\w/]+\.[\w.]+)`")


def tables() -> list[Table]:
    return [table for table in PAGE.tables if table.head == HEAD]


def rows() -> list[list[str]]:
    return [row for table in tables() for row in table.rows]


EACH = pytest.mark.parametrize("row", rows(), ids=lambda row: row[NAME])


def code() -> list[str]:
    return [file for row in rows() for file in FILE.findall(row[CODE])]


def test_every_pattern_has_one_row_and_no_row_is_without_its_file() -> None:
    assert len(tables()) == 3
    files = {f"services/patterns/{name}.py" for name in known()}
    told = [file for file in code() if file.startswith("services/patterns/")]
    assert sorted(told) == sorted(files)


def test_every_source_has_its_row() -> None:
    sources = {path for path in (ROOT / "services/sources").glob("[a-z]*.py") if _begins_with_its_name(path.stem)}
    assert {path.relative_to(ROOT).as_posix() for path in sources} <= set(code())


def _begins_with_its_name(stem: str) -> bool:
    words = (ROOT / f"services/sources/{stem}.py").read_text().lower()
    return words.startswith(f'"""{stem.replace("_", "-")}:')


def test_every_host_has_its_row() -> None:
    assert {row[NAME] for row in rows()} >= HOSTS
    hosts = {path.relative_to(ROOT).as_posix() for path in (ROOT / "services").glob("inference_*/main.py")}
    assert hosts <= set(code())


@EACH
def test_what_a_row_names_is_there(row: list[str]) -> None:
    files = FILE.findall(" ".join(row))
    assert [file for file in files if not (ROOT / file).is_file()] == []
    assert FILE.findall(row[CODE])
    assert all(file.startswith("tests/") for file in FILE.findall(row[TEST]))
    assert FILE.findall(row[TEST])
    assert len(row[TALK]) > 10


@EACH
def test_settings_of_a_row_exist(row: list[str]) -> None:
    assert set(SETTING.findall(row[WIRED])) - settings() == set()


@cache
def settings() -> set[str]:
    by_hand = {name for told in settings_page.TOLD_BY_HAND.values() for name in told}
    return by_hand | {setting.name for group in settings_page.groups() for setting in group.settings}


@EACH
def test_metrics_of_a_row_exist(row: list[str]) -> None:
    assert {word for word in METRIC.findall(row[SEEN]) if word not in sources()} == set()
    assert row[SEEN]


@cache
def sources() -> str:
    """What services are made of, with counters as Prometheus names them."""
    text = "".join(path.read_text() for path in (ROOT / "services").rglob("*.py"))
    return re.sub(r'CounterMetricFamily\(\s*"(\w+)"', r'"\1_total"', text)


@pytest.mark.parametrize("name", sorted(known()))
def test_a_pattern_s_parameters_are_in_its_row(name: str) -> None:
    """At least one of them, where it has any."""
    its = {setting for setting in settings() if setting.startswith(f"{name.upper()}_<MODEL>_")}
    (row,) = [row for row in rows() if f"`services/patterns/{name}.py`" in row[CODE]]
    assert not its or its & set(SETTING.findall(row[WIRED]))


def test_services_named_as_wiring_are_in_compose() -> None:
    compose = (ROOT / "compose.yaml").read_text()
    named = {name for row in rows() for name in re.findall(r"`compose\.yaml`: `([a-z-]+)`", row[WIRED])}
    assert len(named) > 3
    assert {name for name in named if f"\n  {name}:" not in compose} == set()
