"""Writes a prediction as the protocol's message: raw if the question was, else in the fields of the types."""

from collections.abc import Sequence
from typing import Any

from services.chassis.ids import as_text
from services.inference_sync import open_inference_pb2
from services.open_inference import NAMES, raw_bytes
from services.prediction import Prediction

protocol: Any = open_inference_pb2
FIELDS = {
    "BOOL": "bool_contents", "INT8": "int_contents", "INT16": "int_contents", "INT32": "int_contents",
    "INT64": "int64_contents", "UINT8": "uint_contents", "UINT16": "uint_contents", "UINT32": "uint_contents",
    "UINT64": "uint64_contents", "FP32": "fp32_contents", "FP64": "fp64_contents", "BYTES": "bytes_contents",
}  # fmt: skip
"""Where a tensor's values are, by its type."""


def written(prediction: Prediction, id: str = "", wanted: Sequence[str] = (), *, raw: bool) -> Any:
    """The answer with the caller's id, or the prediction's; with the outputs that are wanted, or all."""
    answer = protocol.ModelInferResponse(
        model_name=prediction.model, model_version=prediction.version, id=id or as_text(prediction.id)
    )
    told = answer.parameters
    told["served_by"].string_param = prediction.served_by
    told["prediction_id"].string_param = as_text(prediction.id)
    if prediction.reason:
        told["reason"].string_param = prediction.reason
    for name in wanted or prediction.outputs:
        array = prediction.outputs[name]
        datatype = NAMES[array.dtype.char]
        output = answer.outputs.add(name=name, datatype=datatype, shape=array.shape)
        if raw or datatype not in FIELDS:
            answer.raw_output_contents.append(raw_bytes(array))
        else:
            getattr(output.contents, FIELDS[datatype]).extend(array.ravel().tolist())
    return answer
