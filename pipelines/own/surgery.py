"""Puts another category head into the ONNX file of an image model; everything else in it stays as it is.

The network below, the violation head and the embedding are copied bit by bit: what was indexed stays
comparable, and what was refused before is refused still.
"""

from dataclasses import dataclass

import numpy as np
import onnx
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from pipelines.image_screening.heads import Floats, Linear

CATEGORY, SCORES = "category", "category_scores_of_own_head"


class NoHead(ValueError):
    """The file has no category head under the names that its pipeline gives."""


@dataclass(frozen=True)
class Place:
    """What the head's constants are called, and whether its weights are stored the other way round."""

    weights: str
    bias: str
    turned: bool


PLACES = {
    "image_screening": Place("category.weight", "category.bias", turned=True),
    "image_quick": Place("category_weights", "category_bias", turned=False),
}


def head_of(model: ModelProto, place: Place) -> NodeProto:
    """The node that makes scores from features; raises NoHead."""
    found = [node for node in model.graph.node if node.op_type == "Gemm" and place.weights in node.input]
    if len(found) != 1:
        raise NoHead(f"{len(found)} nodes read {place.weights}")
    return found[0]


def features_only(model: ModelProto, place: Place) -> ModelProto:
    """The network up to what the head reads."""
    features = head_of(model, place).input[0]
    made = copied(model)
    del made.graph.output[:]
    stored = next(constant for constant in made.graph.initializer if constant.name == place.weights)
    shape = ["batch", stored.dims[1 if place.turned else 0]]
    made.graph.output.append(helper.make_tensor_value_info(features, TensorProto.FLOAT, shape))
    return pruned(made)


def with_head(model: ModelProto, place: Place, head: Linear) -> ModelProto:
    """The same network with this head, whose softmax is the category."""
    made = copied(model)
    features = head_of(made, place).input[0]
    keep = [node for node in made.graph.node if CATEGORY not in node.output and place.weights not in node.input]
    weights = head.weights.T if place.turned else head.weights
    del made.graph.node[:]
    made.graph.node.extend(keep)
    made.graph.node.extend([
        helper.make_node("Gemm", [features, place.weights, place.bias], [SCORES], transB=int(place.turned)),
        helper.make_node("Softmax", [SCORES], [CATEGORY], axis=1),
    ])  # fmt: skip
    replace(made, place.weights, weights)
    replace(made, place.bias, head.bias)
    output = next(value for value in made.graph.output if value.name == CATEGORY)
    output.type.tensor_type.shape.dim[1].dim_value = len(head.bias)
    return pruned(made)


def copied(model: ModelProto) -> ModelProto:
    """Another one, to change."""
    made = ModelProto()
    made.CopyFrom(model)
    return made


def replace(model: ModelProto, name: str, values: Floats) -> None:
    """Another constant under the same name."""
    others = [constant for constant in model.graph.initializer if constant.name != name]
    del model.graph.initializer[:]
    model.graph.initializer.extend(others)
    constant = np.ascontiguousarray(values, np.float32)
    model.graph.initializer.append(numpy_helper.from_array(constant, name))


def pruned(model: ModelProto) -> ModelProto:
    """Without nodes and constants that no output needs."""
    needed = {value.name for value in model.graph.output}
    kept = []
    for node in reversed(list(model.graph.node)):
        if needed & set(node.output):
            kept.append(node)
            needed |= set(node.input)
    constants = [one for one in model.graph.initializer if one.name in needed]
    del model.graph.node[:], model.graph.initializer[:], model.graph.value_info[:]
    model.graph.node.extend(kept[::-1])
    model.graph.initializer.extend(constants)
    onnx.checker.check_model(model)
    return model
