"""Fit three logistic regressions (clicked, looked at for long, liked) on the logged features; write them as ONNX.

    dvc repro pipelines/search_ranking/dvc.yaml:train

What stands high is clicked more often whatever it is. Three ways to deal with that are fitted:
`position` learns how much, as one more feature that is fixed when serving; `weighted` lets a click count
more the less its place is looked at; `naive` does nothing, for comparison. Of the first two the one is taken
that orders the validation searches better, where clicks are weighed by attention; `naive` never.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from models.search_ranking.features import GAINS, SIZE, STEEPNESS
from pipelines import waiting
from pipelines.artefact import run
from pipelines.interactions.ordering import MOST_WEIGHT, dcg
from pipelines.parameters import load
from pipelines.search_ranking.searches import SEARCH_RANKING, Searched, read

OPSET, IR_VERSION = 18, 10
STEPS = np.diff(GAINS)
"""What each further grade adds to what a result is worth."""

Treatment = Literal["position", "weighted", "naive"]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Params:
    strengths: list[float]
    least: int


@dataclass(frozen=True)
class Fitted:
    """One row of weights and a bias for each grade, on the features as they are served."""

    weights: Floats
    bias: Floats
    steepness: float | None = None
    """How fast attention falls, if position was learnt."""

    def scores(self, x: NDArray[np.float32]) -> Floats:
        """What each result is worth, shown first."""
        chances = 1 / (1 + np.exp(-(x.astype(np.float64) @ self.weights.T + self.bias)))
        return np.asarray(chances @ STEPS)


@dataclass(frozen=True)
class Tried:
    """A way to deal with position, fitted at its best strength."""

    treatment: Treatment
    strength: float
    fitted: Fitted
    ndcg: float  # on the validation searches


def main() -> None:
    params = load(Params, "pipelines/search_ranking/params.yaml", "train")
    if why := waiting.why(SEARCH_RANKING.prepared):
        waiting.wait(SEARCH_RANKING.trained, why)
        return
    parts = {name: read(SEARCH_RANKING.prepared / f"{name}.npz") for name in ("train", "validation")}
    with threadpool_limits(1):
        tried, steepness = trials(parts["train"], parts["validation"], params)
    best = taken(tried)
    SEARCH_RANKING.trained.mkdir(parents=True, exist_ok=True)
    onnx.save(graph(best.fitted), SEARCH_RANKING.file)
    prove_parity(best.fitted, np.concatenate([one.features for one in parts["validation"]]))
    (SEARCH_RANKING.trained / "facts.json").write_text(json.dumps(facts(tried, best, steepness)))
    print(f"{best.treatment}: NDCG@10 {best.ndcg:.4f} on validation, attention falls with {steepness:.2f}")


def trials(train: Sequence[Searched], validation: Sequence[Searched], params: Params) -> tuple[list[Tried], float]:
    """Every treatment, and how fast attention falls: what `position` found, which also weighs the comparison."""
    strongest = fit(train, "position", max(params.strengths), STEEPNESS, params.least)
    steepness = STEEPNESS if strongest.steepness is None else strongest.steepness
    judged = [one for one in validation if one.search.grades.any()]
    found = []
    treatments: tuple[Treatment, ...] = ("position", "weighted", "naive")
    for treatment in treatments:
        fits = [(strength, fit(train, treatment, strength, steepness, params.least)) for strength in params.strengths]
        each = [Tried(treatment, strength, made, goodness(made, judged, steepness)) for strength, made in fits]
        found.append(max(each, key=lambda one: one.ndcg))
    return found, steepness


def goodness(fitted: Fitted, judged: Sequence[Searched], steepness: float) -> float:
    """NDCG@10 of all of them together, weighed by attention."""
    worth = [one.search.worth(steepness) for one in judged]
    got = sum(dcg(each, fitted.scores(one.features)) for one, each in zip(judged, worth, strict=True))
    return got / sum(dcg(each, each) for each in worth)


def taken(tried: Sequence[Tried]) -> Tried:
    """The better one of those that deal with position; of equals the first."""
    return max((one for one in tried if one.treatment != "naive"), key=lambda one: one.ndcg)


def fit(train: Sequence[Searched], treatment: Treatment, strength: float, steepness: float, least: int) -> Fitted:
    """One regression for each grade, folded back onto the features as they are served."""
    x = np.concatenate([one.features for one in train]).astype(np.float64)
    positions = np.concatenate([one.search.positions for one in train]).astype(np.float64)
    grades = np.concatenate([one.search.grades for one in train])
    mean, spread = x.mean(0), np.where(x.std(0) > 1e-6, x.std(0), np.inf)  # what never varies says nothing
    inputs = (x - mean) / spread
    if treatment == "position":
        inputs = np.column_stack([inputs, np.log(positions)])
    heads = [_head(inputs, grades >= grade, treatment, positions**steepness, strength, least) for grade in (1, 2, 3)]
    weights = np.array([head[:SIZE] / spread for head, _ in heads])
    bias = np.array([bias for _, bias in heads]) - weights @ mean
    slope = float(-heads[0][0][SIZE]) if treatment == "position" else None
    return Fitted(weights, bias, None if slope is None else min(max(slope, 0.0), 2.0))


def _head(
    inputs: Floats, done: NDArray[np.bool_], treatment: Treatment, unseen: Floats, strength: float, least: int
) -> tuple[Floats, float]:
    """Weights and bias of one regression; what was hardly ever done has none but its usual rate."""
    if done.sum() < least or done.all():
        rate = (done.sum() + 0.5) / (len(done) + 1)
        return np.zeros(inputs.shape[1]), float(np.log(rate / (1 - rate)))
    counts = np.where(done, np.minimum(unseen, MOST_WEIGHT), 1.0) if treatment == "weighted" else None
    model = LogisticRegression(C=strength, max_iter=1000).fit(inputs, done, sample_weight=counts)
    return model.coef_[0], float(model.intercept_[0])


def graph(fitted: Fitted) -> onnx.ModelProto:
    """The same in three nodes of plain ONNX."""
    constants = {"weights": fitted.weights.T, "bias": fitted.bias, "steps": STEPS[:, None]}
    return helper.make_model(
        helper.make_graph(
            [
                helper.make_node("Gemm", ["features", "weights", "bias"], ["odds"]),
                helper.make_node("Sigmoid", ["odds"], ["chances"]),
                helper.make_node("MatMul", ["chances", "steps"], ["score"]),
            ],
            "search_ranking",
            [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["batch", SIZE])],
            [helper.make_tensor_value_info("score", TensorProto.FLOAT, ["batch", 1])],
            [
                numpy_helper.from_array(np.ascontiguousarray(value, np.float32), name)
                for name, value in constants.items()
            ],
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )


def prove_parity(fitted: Fitted, x: NDArray[np.float32]) -> None:
    """The file that will be served answers as what was fitted does."""
    difference = np.abs(run(SEARCH_RANKING.file, {"features": x})["score"][:, 0] - fitted.scores(x)).max()
    if difference > 1e-4:
        raise ValueError(f"ONNX and the fit differ by {difference}")


def facts(tried: Sequence[Tried], best: Tried, steepness: float) -> Mapping[str, Any]:
    """What the card tells of the fitting."""
    fitted = asdict(best.fitted)
    return {
        "treatment": best.treatment,
        "steepness": steepness,
        "weights": fitted["weights"].tolist(),
        "tried": {one.treatment: {"strength": one.strength, "ndcg": one.ndcg} for one in tried},
    }


if __name__ == "__main__":
    main()
