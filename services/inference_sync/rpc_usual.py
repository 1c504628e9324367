"""The usual gRPC request, read and answered in the turn of its coming and without making messages.

What a client asks again and again differs in its numbers alone, and those come last. So protobuf reads what comes
before them once; from then on it is known by its bytes. The answer is one that protobuf wrote too, with another id
and other numbers. Anything else takes the road of every call (`rpc.py`), which also says what is wrong with it.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.contract import DTYPES, Arrays, Manifest, check
from services.chassis.ids import as_text
from services.inference_sync import open_inference_pb2
from services.inference_sync.asking import Askers, Headers
from services.inference_sync.quick import Quick
from services.inference_sync.rpc_answer import written
from services.open_inference import raw_bytes
from services.prediction import Prediction
from services.predictors import Predictors

protocol: Any = open_inference_pb2
MOST_BYTES = 64 * 1024
MOST_KNOWN = 256
AN_ID = "\1" * 36
"""Stands in a form where the prediction's id goes: as long as one, and like none."""


@dataclass(slots=True)
class Question:
    """All of a request but its numbers."""

    begins: bytes
    quick: Quick
    manifest: Manifest
    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]

    def inputs(self, raw: bytes) -> dict[str, NDArray[Any]]:
        """The numbers of a request that begins like this."""
        return {self.name: np.frombuffer(raw[len(self.begins) :], self.dtype).reshape(self.shape)}


@dataclass(slots=True)
class Form:
    """All of an answer but its id and its numbers."""

    around_id: list[bytes]
    before_outputs: list[bytes]

    def filled(self, prediction: Prediction) -> bytes:
        """The message."""
        parts = [as_text(prediction.id).encode().join(self.around_id)]
        for before, array in zip(self.before_outputs, prediction.outputs.values(), strict=True):
            parts += (before, array.tobytes())
        return b"".join(parts)


class Usual:
    """Questions that are known, by their length, and forms of answers."""

    def __init__(self, predictors: Predictors, askers: Askers, max_batch: int) -> None:
        self._quick = {name: Quick(predictor, askers) for name, predictor in predictors.items()}
        self._max_batch = max_batch
        self._questions: dict[int, Question] = {}
        self._forms: dict[tuple[Any, ...], Form] = {}

    def at_once(self, headers: Headers, raw: bytes) -> bytes | None:
        """The answer to a question that is known, if nobody waits for it. None: ask in the other way."""
        known = self._questions.get(len(raw))
        if known is None or not raw.startswith(known.begins):
            return None
        if known.manifest is not known.quick.manifest:
            del self._questions[len(raw)]
            return None
        try:
            inputs = known.inputs(raw)
            check(known.manifest, inputs)
            answer = known.quick.answer(headers, inputs, known.shape[0])
            return self._written(answer[1]) if answer else None
        except Exception:  # the other road asks again, and tells what is wrong
            return None

    def learn(self, asked: Any, raw: bytes) -> None:
        """Know this question again, if nothing but one input's numbers can differ in it.

        Protobuf writes fields in the order of their numbers, those of raw tensors last: where it would write the
        request just as it came, what comes before the numbers always means the same.
        """
        if len(raw) in self._questions or len(raw) > MOST_BYTES or len(self._questions) >= MOST_KNOWN:
            return
        if asked.id or asked.model_version or asked.parameters or asked.outputs or len(asked.inputs) != 1:
            return
        quick = self._quick[asked.model_name]
        manifest = quick.manifest
        inputs = usual_inputs(manifest, asked, self._max_batch)
        asked.DiscardUnknownFields()
        if not inputs or asked.inputs[0].parameters or asked.SerializeToString(deterministic=True) != raw:
            return
        ((name, array),) = inputs.items()
        begins = raw[: len(raw) - array.nbytes]
        self._questions[len(raw)] = Question(begins, quick, manifest, name, array.dtype, array.shape)

    def _written(self, prediction: Prediction) -> bytes:
        kinds = [(name, array.dtype.char, array.shape) for name, array in prediction.outputs.items()]
        key = (prediction.model, prediction.version, prediction.served_by, prediction.reason, *kinds)
        form = self._forms.get(key)
        if form is None:
            if any(array.dtype.kind == "O" for array in prediction.outputs.values()):
                return bytes(written(prediction, raw=True).SerializeToString())  # no two texts are of one length
            if len(self._forms) >= MOST_KNOWN:
                self._forms.clear()
            form = self._forms[key] = form_of(prediction)
        return form.filled(prediction)


def form_of(prediction: Prediction) -> Form:
    """The form of every answer that differs from this one in its id and its numbers alone."""
    answer = written(prediction, AN_ID, raw=True)
    answer.parameters["prediction_id"].string_param = AN_ID
    del answer.raw_output_contents[:]
    return Form(answer.SerializeToString().split(AN_ID.encode()), [*map(_before, prediction.outputs.values())])


def _before(array: NDArray[Any]) -> bytes:
    """What protobuf writes before the numbers of an output."""
    numbers = raw_bytes(array)
    message: bytes = protocol.ModelInferResponse(raw_output_contents=[numbers]).SerializeToString()
    return message[: len(message) - len(numbers)]


def usual_inputs(manifest: Manifest, asked: Any, max_batch: int) -> Arrays | None:
    """The arrays of a request like most: every input as raw bytes, in the contract's order. None: look closer."""
    arrays: dict[str, NDArray[Any]] = {}
    if not len(manifest.inputs) == len(asked.inputs) == len(asked.raw_input_contents):
        return None
    for spec, tensor, raw in zip(manifest.inputs, asked.inputs, asked.raw_input_contents, strict=True):
        shape = tuple(tensor.shape)
        if spec.name != tensor.name or spec.datatype != tensor.datatype or spec.datatype == "BYTES":
            return None
        if min(shape, default=0) < 1 or shape[0] > max_batch or tensor.HasField("contents"):
            return None
        try:
            arrays[spec.name] = np.frombuffer(raw, DTYPES[spec.datatype]).reshape(shape)
        except ValueError:
            return None
    check(manifest, arrays)
    return arrays
