"""The model as plain ONNX: look up what was chosen, solve for the taste, score what may be shown.

ONNX has no node that solves linear equations; a taste has few numbers, so elimination is written out, one step
a number. The matrix is positive definite: no step divides by nothing, and no row has to be exchanged.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from models.for_you.contract import contract
from models.for_you.features import OTHER
from pipelines.for_you.choices import Ints
from pipelines.for_you.factors import Model

OPSET, ML_OPSET, IR_VERSION = 18, 2, 10
KINDS = {"INT64": TensorProto.INT64, "INT32": TensorProto.INT32, "FP32": TensorProto.FLOAT}


@dataclass
class Drawing:
    """Nodes and constants so far."""

    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: dict[str, NDArray[np.generic]] = field(default_factory=dict)

    def add(self, kind: str, inputs: Sequence[str], output: str, **attributes: object) -> str:
        """A node; its output's name."""
        self.nodes.append(helper.make_node(kind, list(inputs), [output], **attributes))
        return output

    def constant(self, name: str, value: NDArray[np.generic] | Sequence[int] | float) -> str:
        """A constant: float32 where it is a fraction, int64 where it is whole."""
        array = np.asarray(value)
        whole = np.issubdtype(array.dtype, np.integer)
        self.constants[name] = np.ascontiguousarray(array, np.int64 if whole else np.float32)
        return name


def graph(model: Model, numbers: Ints) -> onnx.ModelProto:
    """From the contract's inputs to its output."""
    drawing = Drawing()
    known(drawing, model, numbers)
    weights(drawing, model)
    taste(drawing, model)
    scores(drawing, model)
    promised = contract()
    ends = [
        [helper.make_tensor_value_info(spec.name, KINDS[spec.datatype], ["batch", spec.shape[1]]) for spec in specs]
        for specs in (promised.inputs, promised.outputs)
    ]
    constants = [numpy_helper.from_array(value, name) for name, value in drawing.constants.items()]
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", ML_OPSET)]
    whole = helper.make_graph(drawing.nodes, "for_you", *ends, constants)
    return helper.make_model(whole, opset_imports=opsets, ir_version=IR_VERSION)


def known(drawing: Drawing, model: Model, numbers: Ints) -> None:
    """Factors of what was chosen and of what may be shown; what nobody knows has none and counts as average."""
    nothing = np.zeros((1, model.shape.factors))
    drawing.constant("items", np.concatenate([model.table[: model.items], nothing]))
    drawing.constant("categories", model.table[model.items :])
    drawing.constant("popularity", np.append(model.popular, 0.0))
    for name in ("history", "candidates"):
        drawing.nodes.append(
            helper.make_node(
                "LabelEncoder", [name], [f"{name}_places"], domain="ai.onnx.ml", keys_int64s=numbers.tolist(),
                values_int64s=list(range(model.items)), default_int64=model.items,
            )
        )  # fmt: skip
        drawing.add("Gather", ["items", f"{name}_places"], f"{name}_factors")
    drawing.add("Gather", ["categories", "candidate_categories"], "candidate_category_factors")
    drawing.add("Gather", ["popularity", "candidates_places"], "candidate_popularity")


def weights(drawing: Drawing, model: Model) -> None:
    """How much each choice says, and each category for all its choices together."""
    drawing.constant("confidence", model.shape.confidence)
    drawing.constant("zero", 0.0)
    drawing.constant("each_category", np.eye(OTHER + 1))
    drawing.constant("last", [2])
    drawing.constant("over_choices", [1])
    drawing.constant("category_weight", model.shape.category_weight)
    drawing.add("Mul", ["weights", "confidence"], "own_weights")
    drawing.add("Gather", ["each_category", "history_categories"], "by_category")
    drawing.add("Unsqueeze", ["weights", "last"], "weights_column")
    drawing.add("Mul", ["by_category", "weights_column"], "by_category_weighed")
    drawing.add("ReduceSum", ["by_category_weighed", "over_choices"], "category_sums", keepdims=0)
    drawing.add("Mul", ["category_sums", "category_weight"], "category_counts")
    drawing.add("Mul", ["category_counts", "confidence"], "category_weights")


def taste(drawing: Drawing, model: Model) -> None:
    """The equations of `factors.solved`, and their solution: batch x factors x 1."""
    size = model.shape.factors
    fixed = model.table.T @ model.table + model.shape.penalty * np.eye(size)
    drawing.constant("fixed", fixed)
    for name, factors, counted in (
        ("own", "history_factors", "weights"),
        ("category", "categories", "category_counts"),
    ):
        drawing.add("Unsqueeze", [f"{name}_weights", "last"], f"{name}_column")
        drawing.add("Mul", [factors, f"{name}_column"], f"{name}_scaled")
        drawing.add("Transpose", [f"{name}_scaled"], f"{name}_turned", perm=[0, 2, 1])
        drawing.add("MatMul", [f"{name}_turned", factors], f"{name}_left")
        drawing.add("Greater", [counted, "zero"], f"{name}_there")
        drawing.add("Cast", [f"{name}_there"], f"{name}_ones", to=TensorProto.FLOAT)
        drawing.add("Add", [f"{name}_ones", f"{name}_weights"], f"{name}_pull")
        drawing.add("Unsqueeze", [f"{name}_pull", "last"], f"{name}_pull_column")
        drawing.add("Mul", [factors, f"{name}_pull_column"], f"{name}_pulled")
        drawing.add("ReduceSum", [f"{name}_pulled", "over_choices"], f"{name}_right", keepdims=0)
    drawing.add("Add", ["own_left", "category_left"], "chosen_left")
    drawing.add("Add", ["chosen_left", "fixed"], "left")
    drawing.add("Add", ["own_right", "category_right"], "right")
    drawing.add("Unsqueeze", ["right", "last"], "right_column")
    solution(drawing, size)


def solution(drawing: Drawing, size: int) -> None:
    """Gauss and Jordan: after each step one more column is that of the identity."""
    now = drawing.add("Concat", ["left", "right_column"], "equations_0", axis=2)
    for step in range(size):
        place, following = drawing.constant(f"at_{step}", [step]), drawing.constant(f"to_{step}", [step + 1])
        unit = drawing.constant(f"unit_{step}", np.eye(size, dtype=np.float32)[:, step : step + 1])
        row = drawing.add("Slice", [now, place, following, "over_choices"], f"row_{step}")
        pivot = drawing.add("Slice", [row, place, following, "last"], f"pivot_{step}")
        row = drawing.add("Div", [row, pivot], f"unit_row_{step}")
        column = drawing.add("Slice", [now, place, following, "last"], f"column_{step}")
        column = drawing.add("Sub", [column, unit], f"rest_column_{step}")
        away = drawing.add("MatMul", [column, row], f"away_{step}")
        now = drawing.add("Sub", [now, away], f"equations_{step + 1}")
    drawing.constant("solved_from", [size])
    drawing.constant("solved_to", [size + 1])
    drawing.add("Slice", [now, "solved_from", "solved_to", "last"], "taste")


def scores(drawing: Drawing, model: Model) -> None:
    """Taste for the item, taste for its category, popularity, each by its weight."""
    parts = []
    for name, factors, weight in (
        ("own", "candidates_factors", model.parts[0]),
        ("category", "candidate_category_factors", model.parts[1]),
    ):
        drawing.constant(f"{name}_part", weight)
        drawing.add("MatMul", [factors, "taste"], f"{name}_fit")
        drawing.add("Squeeze", [f"{name}_fit", "last"], f"{name}_flat")
        parts.append(drawing.add("Mul", [f"{name}_flat", f"{name}_part"], f"{name}_worth"))
    drawing.constant("popular_part", model.parts[2])
    parts.append(drawing.add("Mul", ["candidate_popularity", "popular_part"], "popular_worth"))
    drawing.add("Sum", parts, "score")
