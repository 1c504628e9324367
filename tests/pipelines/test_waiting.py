"""A pipeline without enough data registers nothing and says why."""

import sys
from pathlib import Path

import pytest

from pipelines import register, waiting


def test_a_folder_says_why_it_is_empty(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    assert waiting.why(folder) is None
    folder.mkdir()
    (folder / "model.onnx").write_bytes(b"of yesterday")
    waiting.wait(folder, "12 of\n500 impressions")
    assert waiting.why(folder) == "12 of 500 impressions"
    assert [path.name for path in folder.iterdir()] == [waiting.NOTE]


def test_nothing_is_registered_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    waiting.wait(tmp_path / "data" / "for_you" / "model", "12 of 500 impressions")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://nobody.invalid")
    monkeypatch.setattr(sys, "argv", ["register", "for_you"])
    register.main()
    assert capsys.readouterr().out == "waiting model=for_you why=12 of 500 impressions\n"
