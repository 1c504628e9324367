"""The look-up as an ONNX graph: hashes to vectors, their middle, and the nearest words, spelt out.

A word that is not in the vocabulary has no vector; a row of such words is answered with nothing.
"""

from collections.abc import Sequence

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from models.labels import CATEGORIES
from models.similar_words.features import LONGEST_ANSWER, MOST_PIECES, MOST_SIMILAR, MOST_SPELLINGS, written

OPSET, IR_VERSION = 18, 10
STEPS = 1000
"""Of a cosine: words that are equally like come in one order, on whatever processor."""

TINY = 1e-6
"""Vectors that add up to less cancel each other out: nothing is like them."""


def graph(
    hashes: NDArray[np.int64],
    shown: Sequence[str],
    answers: NDArray[np.int64],
    vectors: NDArray[np.float32],
    centres: NDArray[np.float32],
    similar_least: float,
    category_least: float,
) -> onnx.ModelProto:
    """The whole model. Vectors are kept as half floats: half the size, and three digits tell words apart."""
    node = helper.make_node
    parts = {
        "hashes": hashes,
        "shown": written([shown[place] for place in answers]),
        "answers": answers,
        "kept_vectors": vectors.astype(np.float16),
        "centres": np.ascontiguousarray(centres.T),
        "similar_least": np.float32(similar_least),
        "category_least": np.float32(category_least),
        "tiny": np.float32(TINY),
        "steps": np.float32(STEPS),
        "nothing": np.float32(0),
        "no_letter": np.uint8(0),
        "two": np.float32(2),
        "most": np.array([MOST_SIMILAR], np.int64),
        "last": np.array([2], np.int64),
        "spellings": np.array([1], np.int64),
    }
    nodes = [
        *found("words"),
        *found("pieces"),
        node("ReduceMax", ["words_found", "spellings"], ["some"], keepdims=1),
        node("Greater", ["some", "nothing"], ["known"]),
        node("Where", ["known", "words_found", "pieces_found"], ["asked"]),
        node("Cast", ["kept_vectors"], ["vectors"], to=TensorProto.FLOAT),
        node("MatMul", ["asked", "vectors"], ["sum"]),
        node("ReduceL2", ["sum", "spellings"], ["length"], keepdims=1),
        node("Max", ["length", "tiny"], ["divisor"]),
        node("Div", ["sum", "divisor"], ["middle"]),
        node("Gather", ["vectors", "answers"], ["answered"], axis=0),
        node("Transpose", ["answered"], ["nearness"], perm=[1, 0]),
        node("MatMul", ["middle", "nearness"], ["exact"]),
        node("Mul", ["exact", "steps"], ["in_steps"]),
        node("Round", ["in_steps"], ["rounded"]),
        node("Div", ["rounded", "steps"], ["cosine"]),
        node("Gather", ["words_found", "answers"], ["asked_answers"], axis=1),
        node("Mul", ["asked_answers", "two"], ["asked_twice"]),
        node("Sub", ["cosine", "asked_twice"], ["others"]),  # what is asked for is no answer
        node("TopK", ["others", "most"], ["best", "places"], axis=1),
        node("GreaterOrEqual", ["best", "similar_least"], ["like"]),
        node("Where", ["like", "best", "nothing"], ["score"]),
        node("Gather", ["shown", "places"], ["spelt"], axis=0),
        node("Unsqueeze", ["like", "last"], ["like_too"]),
        node("Where", ["like_too", "spelt", "no_letter"], ["similar"]),
        node("MatMul", ["middle", "centres"], ["near"]),
        node("GreaterOrEqual", ["near", "category_least"], ["near_enough"]),
        node("Where", ["near_enough", "near", "nothing"], ["category"]),
    ]
    value = helper.make_tensor_value_info
    return helper.make_model(
        helper.make_graph(
            nodes,
            "similar_words",
            [
                value("words", TensorProto.INT64, ["batch", MOST_SPELLINGS]),
                value("pieces", TensorProto.INT64, ["batch", MOST_PIECES]),
            ],
            [
                value("similar", TensorProto.UINT8, ["batch", MOST_SIMILAR, LONGEST_ANSWER]),
                value("score", TensorProto.FLOAT, ["batch", MOST_SIMILAR]),
                value("category", TensorProto.FLOAT, ["batch", len(CATEGORIES)]),
            ],
            [numpy_helper.from_array(np.asarray(part), name) for name, part in parts.items()],
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )


def found(name: str) -> list[onnx.NodeProto]:
    """For each row 1 at those words of the vocabulary whose hash is in the input of that name."""
    node = helper.make_node
    return [
        node("Unsqueeze", [name, "last"], [f"{name}_each"]),
        node("Equal", [f"{name}_each", "hashes"], [f"{name}_hits"]),  # row, spelling, word of the vocabulary
        node("Cast", [f"{name}_hits"], [f"{name}_hit"], to=TensorProto.FLOAT),
        node("ReduceMax", [f"{name}_hit", "spellings"], [f"{name}_found"], keepdims=0),
    ]


def similarities(
    vectors: NDArray[np.float32], answers: NDArray[np.int64], asked: NDArray[np.integer], least: float, most: int
) -> NDArray[np.float32]:
    """The best scores of these words, reckoned without the graph."""
    cosine = vectors[asked] @ vectors[answers].T
    cosine[asked[:, None] == answers] = -1
    best = -np.sort(-cosine, axis=1)[:, :most]
    return np.where(best >= least, best, 0)
