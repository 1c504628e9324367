"""What a model in memory promises whatever is asked of it."""

from pathlib import Path

import numpy as np
import pytest

from services.sources import onnx_model
from services.sources.onnx_model import OnnxModel, open_model, sliced
from tests.services.sources.tiny import TINY, artefact


@pytest.fixture
def model(tmp_path: Path) -> OnnxModel:
    return open_model(artefact(tmp_path / "one"), TINY.manifest, TINY.features, threads=1)


def test_a_large_batch_runs_in_slices_with_the_same_answer(model: OnnxModel, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = {"features": np.random.default_rng(0).uniform(0, 3, (10, 4)).astype(np.float32)}
    whole = model.run(batch)["violation"]
    monkeypatch.setattr(onnx_model, "SLICE_BYTES", 3 * 4 * 4)
    assert [part["features"].shape[0] for part in sliced(batch)] == [3, 3, 3, 1]
    np.testing.assert_allclose(model.run(batch)["violation"], whole, atol=1e-6)


def test_a_row_larger_than_a_slice_runs_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_model, "SLICE_BYTES", 1)
    assert [part["x"].shape[0] for part in sliced({"x": np.zeros((2, 4))})] == [1, 1]
