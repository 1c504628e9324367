"""docs/runner.md tells what the code does."""

import re
from collections.abc import Iterable

import pytest

from scripts.runner.keys import PLACES
from scripts.runner.parts import PARTS
from scripts.runner.site import ROOT

TEXT = (ROOT / "docs" / "runner.md").read_text()


def row(place: str) -> str:
    return f"| {place} | {' | '.join(cell(keys) for keys in lists(place))} |"


def lists(place: str) -> Iterable[frozenset[str]]:
    keys = PLACES[place]
    return keys.honoured, keys.ignored, keys.refused


def cell(keys: frozenset[str]) -> str:
    return " ".join(f"`{key}`" for key in sorted(keys))


@pytest.mark.parametrize("place", PLACES)
def test_the_three_lists_are_those_of_the_code(place: str) -> None:
    assert row(place) in TEXT.splitlines()


def test_every_key_of_x_local_and_every_part_is_explained() -> None:
    first_cells = re.findall(r"^\| ((?:`[\w-]+`(?:, )?)+) \|", TEXT, re.MULTILINE)
    explained = {name for found in first_cells for name in re.findall(r"`([\w-]+)`", found)}
    assert PLACES["x-local"].honoured | PARTS.keys() <= explained
