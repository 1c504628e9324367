"""A toy model that is cheap to make: it doubles the length of a text."""

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from models.contract import Manifest, TensorSpec
from pipelines import artefact
from pipelines.simulate.memory import MemoryPlatform
from tests.pipelines.use import used


def encode(raw: bytes) -> dict[str, Any]:
    return {"length": np.array([[len(raw)]], np.float32)}


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> Manifest:
    """The toy's contract; its features can be imported as models.toy.features."""
    features = ModuleType("models.toy.features")
    features.encode = encode  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "models.toy.features", features)
    return Manifest(
        name="toy",
        title="Doubles",
        inputs=(TensorSpec(name="length", datatype="FP32", shape=(-1, 1), meaning="characters", minimum=0),),
        outputs=(TensorSpec(name="double", datatype="FP32", shape=(-1, 1), meaning="twice that"),),
        default={"double": [0.0]},
        requires={},
        files={},
    )


@pytest.fixture
def onnx_file(tmp_path: Path) -> Path:
    """A graph of one node: length x 2."""
    two = helper.make_tensor("two", TensorProto.FLOAT, [1], [2.0])
    graph = helper.make_graph(
        [helper.make_node("Mul", ["length", "two"], ["double"])],
        "toy",
        [helper.make_tensor_value_info("length", TensorProto.FLOAT, ["batch", 1])],
        [helper.make_tensor_value_info("double", TensorProto.FLOAT, ["batch", 1])],
        [two],
    )
    path = tmp_path / "toy.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), path)
    return path


@pytest.fixture
def folder(toy: Manifest, onnx_file: Path, tmp_path: Path) -> Path:
    """The toy's artefact, in a workspace where the pipeline of the toy has run."""
    made = tmp_path / "workspace" / "data" / "toy" / "model"
    write_toy(made, toy, onnx_file)
    return made


def write_toy(folder: Path, toy: Manifest, onnx_file: Path) -> Manifest:
    return artefact.write(
        folder,
        toy,
        onnx_file,
        [b"a", b"four"],
        {"accuracy": 0.5},
        {"length": {"mean": 2.5}},
        "# Doubles\n",
        {},
        suffix=".txt",
    )


@pytest.fixture(scope="session")
def platform() -> MemoryPlatform:
    """A platform in memory that made-up people have used."""
    return used(people=80, rounds=6, searches=2)
