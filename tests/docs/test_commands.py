"""Every command is short, says what it does, and is in the table of commands."""

import os
from pathlib import Path

import pytest

from scripts.runner.site import ROOT
from tests.docs.markdown import document

COMMANDS = sorted(path for path in (ROOT / "scripts").iterdir() if path.is_file() and not path.suffix)
EACH = pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
MOST_LINES = 15


def test_the_table_names_every_command_and_nothing_else() -> None:
    told = [cell.split()[0] for cell in document("scripts/README.md").table("command").column()]
    assert sorted(told) == [command.name for command in COMMANDS]


@EACH
def test_a_command_is_short_and_says_what_it_does(command: Path) -> None:
    lines = command.read_text().splitlines()
    assert len(lines) <= MOST_LINES
    assert lines[0].startswith("#!")
    assert lines[1].startswith("# ")
    assert "set -euo pipefail" in lines


@EACH
def test_a_command_can_be_run(command: Path) -> None:
    assert os.access(command, os.X_OK)
