"""docs/models.md has a row for every model that has a card, with the switch that turns it off."""

import pytest

from scripts.runner.site import ROOT
from tests.docs.markdown import document

TABLE = document("docs/models.md").table("model")
NAME, SWITCH = 0, 5


def names() -> list[str]:
    return [row[NAME].split("]")[0].strip("[`") for row in TABLE.rows]


def test_every_model_with_a_card_has_one_row() -> None:
    cards = sorted(path.parent.name for path in (ROOT / "models").glob("*/card.md"))
    assert sorted(names()) == cards


@pytest.mark.parametrize("row", TABLE.rows, ids=names())
def test_a_row_is_whole_and_names_its_switch(row: list[str]) -> None:
    assert len(row) == len(TABLE.head)
    assert all(row)
    assert row[SWITCH].startswith(f"`ACTIVATE_{row[NAME].split(']')[0].strip('[`').upper()}`")
