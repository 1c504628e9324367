"""A model small enough for tests (four numbers to three chances), its artefacts, and a registry that offers them."""

import hashlib
import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from models.contract import Arrays, Manifest, Sample, TensorSpec
from services.predictors import Declared
from services.sources.onnx_model import open_session

LABELS = ("ok", "spam", "abuse")


def contract(**changes: Any) -> Manifest:
    """What the model promises."""
    declared = Manifest(
        name="tiny",
        title="A tiny model",
        inputs=(
            TensorSpec(
                name="features",
                datatype="FP32",
                shape=(-1, 4),
                meaning="numbers",
                minimum=0,
                maximum=100,
                language=("en",),
            ),
        ),
        outputs=(TensorSpec(name="violation", datatype="FP32", shape=(-1, 3), meaning="chances", labels=LABELS),),
        default={"violation": [1.0, 0.0, 0.0]},
        requires={},
        files={},
    )
    return declared.model_copy(update=changes)


class TinyFeatures:
    """The model's features: four counts of a text."""

    def encode(self, raw: bytes) -> dict[str, NDArray[Any]]:
        """Length, spaces, digits, exclamation marks."""
        text = raw.decode()
        if not text.strip():
            raise ValueError("the text is empty")
        counts = [len(text), text.count(" "), sum(map(str.isdigit, text)), text.count("!")]
        return {"features": np.array([counts], np.float32).clip(0, 100)}

    def answer(self, manifest: Manifest, outputs: Arrays) -> dict[str, Any]:
        """The likeliest label."""
        chances = outputs["violation"][0]
        return {"violation": {"label": LABELS[int(chances.argmax())], "score": float(1 - chances[0])}}


TINY = Declared(contract(), TinyFeatures())
encode, answer = TINY.features.encode, TINY.features.answer


def onnx_bytes(seed: int, *, wide: int = 4, kind: int = TensorProto.FLOAT) -> bytes:
    """A layer and a softmax; the seed makes versions differ."""
    weights = np.random.default_rng(seed).normal(size=(wide, 3)).astype(np.float32)
    nodes = [helper.make_node("MatMul", ["features", "w"], ["z"]), helper.make_node("Softmax", ["z"], ["violation"])]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("features", kind, ["batch", wide])],
        [helper.make_tensor_value_info("violation", kind, ["batch", 3])],
        [numpy_helper.from_array(weights, "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    return bytes(model.SerializeToString())


def artefact(folder: Path, seed: int = 0, **changes: Any) -> Path:
    """A whole artefact; `changes` go into its manifest before it is sealed."""
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(onnx_bytes(seed))
    (folder / "card.md").write_text("# tiny\n")
    (folder / "sample-0.txt").write_text("Three cats, 2 dogs!")
    inputs = TinyFeatures().encode((folder / "sample-0.txt").read_bytes())
    chances = open_session(folder / "model.onnx", 1).run(["violation"], inputs)[0]
    np.savez(folder / "sample-0.inputs.npz", **inputs)  # type: ignore[arg-type]
    np.savez(folder / "sample-0.outputs.npz", violation=chances)
    sample = Sample(raw="sample-0.txt", inputs="sample-0.inputs.npz", outputs="sample-0.outputs.npz")
    here = {"onnxruntime": version("onnxruntime"), "numpy": version("numpy")}
    seal(folder, contract(**({"samples": (sample,), "requires": here} | changes)))
    return folder


def seal(folder: Path, manifest: Manifest) -> None:
    """Write the manifest with the hashes of what lies beside it."""
    files = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.iterdir()
        if path.name != "manifest.json"
    }
    (folder / "manifest.json").write_text(manifest.model_copy(update={"files": files}).model_dump_json())


class FakeMlflow(httpx.AsyncBaseTransport):
    """The part of MLflow's REST API that hosts use, for one model. `away`: it refuses connections."""

    def __init__(self) -> None:
        self.artefacts: dict[str, Path] = {}
        self.champion: str | None = None
        self.challenger: str | None = None
        self.away = False
        self.fetched: list[str] = []
        self.tags: dict[str, Mapping[str, str]] = {}
        self.asked: list[str] = []
        self.changed = 1

    def add(self, number: str, folder: Path) -> None:
        """Register a version and make it champion."""
        self.artefacts[number] = folder
        self.changed += 1
        manifest = (folder / "manifest.json").read_bytes()
        self.tags[number] = {"manifest_sha256": hashlib.sha256(manifest).hexdigest()}
        self.champion = number

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer as MLflow does."""
        if self.away:
            raise httpx.ConnectError("connection refused", request=request)
        path, query = request.url.path, request.url.params
        self.asked.append(path)
        if path.endswith("/registered-models/search"):
            return self._models()
        if path.endswith("/model-versions/get"):
            return self._version(query["version"])
        if path.endswith("/model-versions/get-download-uri"):
            return _json({"artifact_uri": f"mlflow-artifacts:/1/{query['version']}/artifacts/model"})
        return self._file(*path.rsplit("/api/2.0/mlflow-artifacts/artifacts/1/", 1)[-1].split("/artifacts/model/"))

    def _models(self) -> httpx.Response:
        named = {"champion": self.champion, "challenger": self.challenger}
        aliases = [{"alias": alias, "version": number} for alias, number in named.items() if number]
        model = {"name": "tiny", "last_updated_timestamp": self.changed, "aliases": aliases}
        return _json({"registered_models": [model]} if self.artefacts else {})

    def _version(self, number: str) -> httpx.Response:
        tags = [{"key": key, "value": value} for key, value in self.tags[number].items()]
        return _json({"model_version": {"name": "tiny", "version": number, "run_id": "r", "tags": tags}})

    def _file(self, number: str, name: str) -> httpx.Response:
        self.fetched.append(f"{number}/{name}")
        path = self.artefacts[number] / name
        return httpx.Response(200, content=path.read_bytes()) if path.is_file() else httpx.Response(404)


def _json(body: Any, status: int = 200) -> httpx.Response:
    return httpx.Response(status, content=json.dumps(body).encode(), headers={"content-type": "application/json"})
