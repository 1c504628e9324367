"""Fit a linear discriminant for the category and a logistic regression as the gate; write both as one ONNX.

dvc repro pipelines/image_quick/dvc.yaml:train
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from models.image_quick.features import LENGTH
from models.labels import PICTURE_VIOLATIONS, names
from pipelines.image_quick.features import OUT as FEATURES
from pipelines.image_screening.heads import Linear, softmax, temperature
from pipelines.image_screening.onnx_file import OnnxFile
from pipelines.image_screening.threads import one_way_of_adding
from pipelines.parameters import load
from pipelines.progress import progress
from pipelines.scenes.examples import NONE, Labels, labels
from pipelines.scenes.groups import GROUPS

OUT = Path("data/image_quick/trained")
OPSET, IR_VERSION = 18, 10
PARITY = 1e-4
KINDS = names(PICTURE_VIOLATIONS)
UNSEEN = [KINDS.index("weapon"), KINDS.index("alcohol")]
"""Kinds that colours and edges cannot tell from a good picture."""

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Params:
    """The section `train` of params.yaml."""

    test_group: int
    shrinkage: float
    c: float
    iterations: int


@dataclass(frozen=True)
class Examples:
    """Rows are scenes."""

    x: Floats
    labels: Labels

    @property
    def good(self) -> Bools:
        """Scenes with a category."""
        return np.asarray(self.labels.category != NONE)

    @property
    def kind(self) -> NDArray[np.int64]:
        """The kind of violation, as far as it can be seen."""
        return np.where(np.isin(self.labels.violation, UNSEEN), 0, self.labels.violation)

    def outside(self, *groups: int) -> Bools:
        """Scenes of all other groups."""
        return ~np.isin(self.labels.group, groups)


@one_way_of_adding
def main() -> None:
    """Validate on one training group, learn on all of them, export, compare the splits."""
    params = load(Params, "pipelines/image_quick/params.yaml", "train")
    examples = Examples(np.load(FEATURES / "features.npy"), labels())
    validation = (params.test_group + 1) % GROUPS
    trial = fit(examples, examples.outside(params.test_group, validation), params)
    held = examples.labels.group == validation
    sure = held & examples.good
    factor = temperature(trial[0](examples.x[sure]), examples.labels.category[sure])
    category, gate = fit(examples, examples.outside(params.test_group), params)
    OUT.mkdir(parents=True, exist_ok=True)
    onnx.save(graph(category.scaled(factor), gate), OUT / "model.onnx")
    prove_parity(category.scaled(factor), gate, examples.x[::100])
    violation = spread(softmax(trial[1](examples.x[held])))
    np.savez_compressed(OUT / "validation.npz", violation=violation, violation_label=examples.kind[held])
    facts = {"split_accuracy": splits(examples, params)}
    (OUT / "facts.json").write_text(json.dumps(facts, indent=1) + "\n")


def fit(examples: Examples, rows: Bools, params: Params) -> tuple[Linear, Linear]:
    """Category head and gate from these scenes."""
    return fit_category(examples, rows, params), fit_gate(examples, rows, params)


def fit_category(examples: Examples, rows: Bools, params: Params) -> Linear:
    """The category head."""
    rows = rows & examples.good
    model = make_pipeline(StandardScaler(), LinearDiscriminantAnalysis(solver="lsqr", shrinkage=params.shrinkage))
    return unscaled(model.fit(examples.x[rows].astype(np.float64), examples.labels.category[rows]))


def fit_gate(examples: Examples, rows: Bools, params: Params) -> Linear:
    """The gate."""
    model = make_pipeline(StandardScaler(), LogisticRegression(C=params.c, max_iter=params.iterations))
    return unscaled(model.fit(examples.x[rows].astype(np.float64), examples.kind[rows]))


def unscaled(model: Any) -> Linear:
    """The pipeline as one linear map of the features as they are."""
    scaler, linear = model[0], model[-1]
    weights = (linear.coef_ / scaler.scale_).T
    bias = linear.intercept_ - scaler.mean_ @ weights
    return Linear(weights.astype(np.float32), bias.astype(np.float32))


def seen_kinds() -> list[int]:
    """The kinds that the gate answers."""
    return [number for number in range(len(KINDS)) if number not in UNSEEN]


def spread(probabilities: Floats) -> Floats:
    """The gate's probabilities among all kinds; 0 for what it cannot see."""
    return np.asarray(probabilities @ np.eye(len(KINDS), dtype=np.float32)[seen_kinds()])


def graph(category: Linear, gate: Linear) -> onnx.ModelProto:
    """Both models as plain ONNX."""
    parts = {
        "category_weights": category.weights,
        "category_bias": category.bias,
        "gate_weights": gate.weights,
        "gate_bias": gate.bias,
        "kinds": np.eye(len(KINDS), dtype=np.float32)[seen_kinds()],
    }
    nodes = [
        helper.make_node("Gemm", ["features", "category_weights", "category_bias"], ["category_scores"]),
        helper.make_node("Softmax", ["category_scores"], ["category"], axis=1),
        helper.make_node("Gemm", ["features", "gate_weights", "gate_bias"], ["gate_scores"]),
        helper.make_node("Softmax", ["gate_scores"], ["gate"], axis=1),
        helper.make_node("MatMul", ["gate", "kinds"], ["violation"]),
    ]
    outputs = {"category": category.bias.size, "violation": len(KINDS)}
    made = helper.make_graph(
        nodes,
        "image_quick",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["batch", LENGTH])],
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["batch", width]) for n, width in outputs.items()],
        [numpy_helper.from_array(np.ascontiguousarray(part), name) for name, part in parts.items()],
    )
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)


def prove_parity(category: Linear, gate: Linear, x: Floats) -> None:
    """The file that will be served answers as what was learnt."""
    answered = OnnxFile(OUT / "model.onnx")(x)
    expected = {"category": softmax(category(x)), "violation": spread(softmax(gate(x)))}
    for name, array in expected.items():
        difference = float(np.abs(array - answered[name]).max())
        if difference > PARITY:
            raise ValueError(f"ONNX and scikit-learn differ by {difference} in {name}")


def splits(examples: Examples, params: Params) -> list[float]:
    """Accuracy on held-out objects when each group in turn is the test."""
    found = []
    for group in progress(range(GROUPS), total=GROUPS, what="comparing splits"):
        head = fit_category(examples, examples.outside(group), params)
        rows = (examples.labels.group == group) & examples.good
        found.append(float((head(examples.x[rows]).argmax(1) == examples.labels.category[rows]).mean()))
    return found


if __name__ == "__main__":
    main()
