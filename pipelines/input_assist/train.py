"""Fit a linear model on the hashed characters and write it as ONNX.

dvc repro pipelines/input_assist/dvc.yaml:train
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from scipy.sparse import csr_matrix, vstack
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from models.input_assist.features import SIZE
from pipelines.artefact import run
from pipelines.input_assist.texts import PREPARED, TRAINED, Text, features, labels, read
from pipelines.parameters import load
from pipelines.progress import progress

OPSET, IR_VERSION = 18, 10


@dataclass(frozen=True)
class Params:
    c: float
    iterations: int


def main() -> None:
    params = load(Params, "pipelines/input_assist/params.yaml", "train")
    texts = read(PREPARED / "texts.csv", "train")
    with threadpool_limits(1):  # the same result on any number of cores
        model = fit(matrix(texts), labels(texts), params)
    TRAINED.mkdir(parents=True, exist_ok=True)
    onnx.save(graph(model.coef_, model.intercept_), TRAINED / "model.onnx")
    prove_parity(model, texts[:: max(1, len(texts) // 100)], TRAINED / "model.onnx")


def matrix(texts: list[Text]) -> Any:
    """One sparse row of served features for each text."""
    return vstack([csr_matrix(features(text)) for text in progress(texts, len(texts), "reading texts")])


def fit(X: Any, y: NDArray[np.int64], params: Params) -> Any:
    """A softmax over linear scores."""
    model = LogisticRegression(C=params.c, max_iter=params.iterations)
    return model.fit(X.astype(np.float64), y)


def graph(weights: NDArray[Any], bias: NDArray[Any]) -> onnx.ModelProto:
    """The same model in two nodes of plain ONNX."""
    parts = {"weights": weights.T.astype(np.float32), "bias": bias.astype(np.float32)}
    return helper.make_model(
        helper.make_graph(
            [
                helper.make_node("Gemm", ["features", "weights", "bias"], ["scores"]),
                helper.make_node("Softmax", ["scores"], ["category"], axis=1),
            ],
            "input_assist",
            [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["batch", SIZE])],
            [helper.make_tensor_value_info("category", TensorProto.FLOAT, ["batch", len(bias)])],
            [numpy_helper.from_array(np.ascontiguousarray(part), name) for name, part in parts.items()],
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )


def prove_parity(model: Any, texts: list[Text], path: Path) -> None:
    """The file that will be served answers as the trained object does."""
    X = np.concatenate([features(text) for text in texts])
    difference = np.abs(model.predict_proba(X) - run(path, {"features": X})["category"]).max()
    if difference > 1e-5:
        raise ValueError(f"ONNX and scikit-learn differ by {difference}")


if __name__ == "__main__":
    main()
