"""Whose data lie outside the state folder, where PostgreSQL cannot be run by root."""

import shutil
from pathlib import Path

from scripts.runner.parts.postgres import is_of_another, sign


def test_data_are_known_again_by_their_own_state_folder_alone(tmp_path: Path) -> None:
    home, state = tmp_path / "outside", tmp_path / "state"
    home.mkdir()
    assert not is_of_another(home, state), "data from before there were signs"
    sign(home, state)
    assert not is_of_another(home, state)
    shutil.rmtree(state)
    state.mkdir()
    assert is_of_another(home, state), "a new clone in the place of a deleted one"
    sign(tmp_path, state)
    assert is_of_another(home, state)
