"""Trains the small model of the serving bench and lays it where a host without a registry finds it."""

import hashlib
import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from skl2onnx import to_onnx
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from models.contract import Manifest, Sample
from scripts.benchmarks.models.iris.contract import contract
from scripts.benchmarks.models.iris.features import encode

EXAMPLE = b"5.1,3.5,1.4,0.2"


def trained() -> bytes:
    """Scaler and logistic regression as one ONNX file: `features` to `probabilities`."""
    data: Any = load_iris()
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    pipeline.fit(data.data.astype(np.float32), data.target)
    model = to_onnx(
        pipeline,
        data.data[:1].astype(np.float32),
        options={"zipmap": False},
        target_opset={"": 18, "ai.onnx.ml": 3},
    )
    rename(model, model.graph.input[0].name, "features")
    rename(model, model.graph.output[1].name, "probabilities")
    del model.graph.output[0]
    return bytes(model.SerializeToString())


def rename(model: Any, old: str, new: str) -> None:
    """Give a tensor of the graph the name that the contract has."""
    for value in (*model.graph.input, *model.graph.output):
        value.name = new if value.name == old else value.name
    for node in model.graph.node:
        for names in (node.input, node.output):
            for at, name in enumerate(names):
                names[at] = new if name == old else name


def artefact(folder: Path) -> Path:
    """The model's folder as a host's disk cache has it; returns the ONNX file."""
    onnx = trained()
    inputs = encode(EXAMPLE)
    manifest = manifest_of({"model.onnx": onnx})
    text = json.dumps(manifest.model_dump(mode="json"), sort_keys=True).encode()
    place = folder / "iris" / f"1-{hashlib.sha256(text).hexdigest()[:12]}"
    place.mkdir(parents=True, exist_ok=True)
    (place / "model.onnx").write_bytes(onnx)
    (place / "manifest.json").write_bytes(text)
    (place / "sample-0.txt").write_bytes(EXAMPLE)
    np.savez(place / "sample-0.inputs.npz", **inputs)  # type: ignore[arg-type]
    np.savez(place / "sample-0.outputs.npz", **answers(place / "model.onnx", inputs))
    (folder / "iris" / "champion").write_text(place.name)
    return place / "model.onnx"


def manifest_of(files: dict[str, bytes]) -> Manifest:
    """The contract with what only a trained model knows."""
    return contract().model_copy(
        update={
            "requires": {name: version(name) for name in ("numpy", "onnxruntime")},
            "files": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
            "samples": (Sample(raw="sample-0.txt", inputs="sample-0.inputs.npz", outputs="sample-0.outputs.npz"),),
        }
    )


def answers(onnx: Path, inputs: dict[str, Any]) -> dict[str, Any]:
    """What ONNX Runtime makes of the example."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(onnx), providers=["CPUExecutionProvider"])
    return {"probabilities": session.run(["probabilities"], inputs)[0]}
