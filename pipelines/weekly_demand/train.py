"""Fit a ridge regression on how a week lies to the level before it, and a band around it; write it as ONNX.

    dvc repro pipelines/weekly_demand/dvc.yaml:train

Uploads and searches of all categories learn together: everything is relative to the level. The band
is conformal: as wide as it must be to hold `inside` of the calibration weeks. Small counts vary more
than large ones, so errors are measured in units of `spread`.
"""

import json
from dataclasses import dataclass

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from models.weekly_demand.features import LEVEL, SIZE
from pipelines.artefact import run
from pipelines.parameters import load
from pipelines.weekly_demand.table import PREPARED, TRAINED, Floats, Parts, dealt, examples, features, read, truth

OPSET, IR_VERSION = 18, 10
FARTHEST = 2.0
"""No week is expected to be more than seven times what the weeks before it were, or less than a seventh."""


@dataclass(frozen=True)
class Params:
    test_weeks: int
    calibration_weeks: int
    penalties: list[float]
    inside: float


@dataclass(frozen=True)
class Fitted:
    """change = features @ weights + bias, on the scale of log(1 + count); the band is in units of spread."""

    weights: NDArray[np.float32]
    bias: float
    noise: float
    band: tuple[float, float]

    def change(self, x: Floats) -> Floats:
        """How far the week lies from the level."""
        return np.asarray(np.clip(x @ self.weights + self.bias, -FARTHEST, FARTHEST))

    def demand(self, x: Floats) -> Floats:
        """What the ONNX file must answer: low, expected, high."""
        middle = x[:, LEVEL] + self.change(x)
        half = spread(middle, self.noise)
        logs = np.stack([middle - self.band[0] * half, middle, middle + self.band[1] * half], 1)
        return np.asarray(np.maximum(np.exp(logs) - 1, 0))


def main() -> None:
    params = load(Params, "pipelines/weekly_demand/params.yaml", "train")
    parts = dealt(examples(read(PREPARED)), params.calibration_weeks, params.test_weeks)
    with threadpool_limits(1):  # the same result on any number of cores
        fitted, facts = fit(parts, params)
    TRAINED.mkdir(parents=True, exist_ok=True)
    onnx.save(graph(fitted), TRAINED / "model.onnx")
    prove_parity(fitted, features(parts.test))
    (TRAINED / "facts.json").write_text(json.dumps(facts, indent=1) + "\n")


def fit(parts: Parts, params: Params) -> tuple[Fitted, dict[str, float]]:
    """The penalty with the smallest error on the calibration weeks, and the band they ask for."""
    x, y = features(parts.train).astype(np.float64), truth(parts.train)
    later, brought = features(parts.calibration).astype(np.float64), truth(parts.calibration)
    tried = {penalty: ridge(x, np.log1p(y) - x[:, LEVEL], penalty) for penalty in params.penalties}
    errors = {penalty: wape(brought, one.demand(later)[:, 1]) for penalty, one in tried.items()}
    best = min(errors, key=lambda penalty: (errors[penalty], penalty))
    fitted = with_band(tried[best], later, np.log1p(brought), params.inside)
    return fitted, {"penalty": best, "calibration_wape": errors[best], "noise": fitted.noise}


def ridge(x: Floats, y: Floats, penalty: float) -> Fitted:
    """Least squares with a penalty on weights of columns of equal spread; the bias is free."""
    mean, scale = x.mean(0), x.std(0) + 1e-6
    z = (x - mean) / scale
    gram = z.T @ z / len(z) + penalty * np.eye(z.shape[1])
    weights = np.linalg.solve(gram, z.T @ (y - y.mean()) / len(z)) / scale
    return Fitted(weights.astype(np.float32), float(y.mean() - mean @ weights), 0.0, (0.0, 0.0))


def with_band(fitted: Fitted, x: Floats, y: Floats, inside: float) -> Fitted:
    """What is left of the spread when the chance in small counts is taken out; then the band, each side by itself."""
    middle = x[:, LEVEL] + fitted.change(x)
    errors = y - middle
    chance = 1 / np.maximum(np.exp(middle), 1)
    noise = float(np.sqrt(max(1e-4, (np.square(errors) - chance).mean())))
    units = errors / spread(middle, noise)
    low, high = np.quantile(units, [(1 - inside) / 2, (1 + inside) / 2])
    return Fitted(fitted.weights, fitted.bias, noise, (max(0.0, float(-low)), max(0.0, float(high))))


def spread(middle: Floats, noise: float) -> Floats:
    """How far a week may lie from what is expected: what is not known, and the chance in a small count."""
    return np.asarray(np.sqrt(noise**2 + np.exp(-np.maximum(middle, 0))))


def wape(brought: Floats, expected: Floats) -> float:
    """Errors summed, as a part of what was counted."""
    return float(np.abs(brought - expected).sum() / brought.sum())


def graph(fitted: Fitted) -> onnx.ModelProto:
    """The same in plain ONNX."""
    level = np.zeros((SIZE, 1), np.float32)
    level[LEVEL] = 1
    band = np.array([[-fitted.band[0], 0.0, fitted.band[1]]], np.float32)
    constants = {
        "weights": fitted.weights[:, None], "bias": [fitted.bias], "level": level, "band": band,
        "least": -FARTHEST, "most": FARTHEST, "variance": fitted.noise**2, "zero": 0.0, "one": 1.0,
    }  # fmt: skip
    nodes = [
        ("Gemm", ["features", "weights", "bias"], "free"),
        ("Clip", ["free", "least", "most"], "change"),
        ("MatMul", ["features", "level"], "before"),
        ("Add", ["before", "change"], "middle"),
        ("Max", ["middle", "zero"], "positive"),
        ("Neg", ["positive"], "negative"),
        ("Exp", ["negative"], "chance"),
        ("Add", ["chance", "variance"], "square"),
        ("Sqrt", ["square"], "spread"),
        ("Mul", ["spread", "band"], "away"),
        ("Add", ["middle", "away"], "logs"),
        ("Exp", ["logs"], "counts_and_one"),
        ("Sub", ["counts_and_one", "one"], "counts"),
        ("Max", ["counts", "zero"], "demand"),
    ]
    return helper.make_model(
        helper.make_graph(
            [helper.make_node(kind, inputs, [output]) for kind, inputs, output in nodes],
            "weekly_demand",
            [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["batch", SIZE])],
            [helper.make_tensor_value_info("demand", TensorProto.FLOAT, ["batch", 3])],
            [numpy_helper.from_array(np.asarray(value, np.float32), name) for name, value in constants.items()],
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )


def prove_parity(fitted: Fitted, x: NDArray[np.float32]) -> None:
    """The file that will be served answers as what was fitted does, within a part in a thousand."""
    answered = run(TRAINED / "model.onnx", {"features": x})["demand"]
    expected = fitted.demand(x.astype(np.float64))
    if not np.allclose(answered, expected, rtol=1e-3, atol=1e-3):
        raise ValueError(f"ONNX and the fit differ by {np.abs(answered - expected).max()}")


if __name__ == "__main__":
    main()
