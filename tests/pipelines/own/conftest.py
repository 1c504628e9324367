"""A clone in which image_screening is made, far from the real one."""

import shutil
from pathlib import Path

import pytest

from tests.pipelines.own import material
from tests.platform import ROOT

TAKEN = ("pipelines/own/params.yaml", "pipelines/text_violation/params.yaml", "models/image_screening/features.py")


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder."""
    root = tmp_path / "clone"
    for path in (*TAKEN, *(str(file.relative_to(ROOT)) for file in (ROOT / "requirements").glob("*.txt"))):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / path, root / path)
    material.base(root / "data" / "image_screening" / "model")
    monkeypatch.chdir(root)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return root
