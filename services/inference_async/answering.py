"""What a job or an event asks of a model: checked when it comes, answered when its turn has come."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
import orjson
from numpy.typing import NDArray

from models.contract import check
from models.pictures import UnreadablePicture, sniff
from models.refusal import ContractBroken
from services.chassis.errors import BadInput, Fault, NotFound
from services.chassis.workers import TryAgain
from services.inference_async.jobs import Form
from services.open_inference import InferRequest, read_request, read_tensors, write_answer
from services.patterns.fallback import default_answer
from services.prediction import NOBODY, Context, Prediction, PredictionRequest
from services.predictors import Predictor, Predictors
from services.spoken import check_language

PASSING = ("not_loaded", "overloaded")
"""Why a default answers where the model will a little later."""


@dataclass(frozen=True)
class Given:
    """A body that may be predicted from."""

    form: Form
    rows: int
    body: bytes


class Answers:
    """Asks this process's models. A job that may wait waits for its model rather than take the default."""

    def __init__(self, predictors: Predictors, *, patience_seconds: float, max_batch: int) -> None:
        self._predictors, self._patience, self._max_batch = predictors, patience_seconds, max_batch

    def known(self, model: str) -> Predictor:
        """The model of that name; raises NotFound."""
        if model not in self._predictors:
            raise NotFound(f"There is no model {model[:60]}. Models: {', '.join(self._predictors)}.")
        return self._predictors[model]

    async def read(self, model: str, body: bytes) -> Given:
        """What can be said of a body before its turn has come; raises BadInput, ContractBroken, NotFound."""
        predictor = self.known(model)
        if body.lstrip()[:1] != b"{":
            return Given("raw", 1, _picture(predictor, body))
        if _is_text(body):
            return Given("raw", 1, _text(predictor, body))
        _, inputs = await asyncio.to_thread(self._tensors, predictor, body)
        return Given("tensors", next(iter(inputs.values())).shape[0], body)

    async def answer(
        self, given: Given, model: str, *, id: UUID, age_seconds: float, context: Context = NOBODY
    ) -> dict[str, Any]:
        """The model's answer as JSON has it; raises TryAgain while it is only a matter of time."""
        predictor = self.known(model)
        await predictor.source.hurry()
        if given.form == "raw":
            inputs = await predictor.threads.run(predictor.features.encode, given.body)
            asked = None
        else:
            asked, inputs = await asyncio.to_thread(self._tensors, predictor, given.body)
        parameters = asked.parameters if asked else {}
        request = PredictionRequest(model, inputs, id=id, parameters=parameters, context=context)
        prediction = await predictor.predict(request)
        if prediction.reason in PASSING and age_seconds < self._patience:
            raise TryAgain(f"{model}: {prediction.reason}")
        return told(predictor, prediction, asked)

    def default(self, form: Form, rows: int, model: str, *, id: UUID, reason: str) -> dict[str, Any]:
        """The declared default in the same shape, for somebody who waits no longer."""
        predictor = self.known(model)
        request = PredictionRequest(model, {"": np.empty((rows, 0))}, id=id)
        prediction = default_answer(predictor.manifest, request, reason)
        return _in_words(predictor, prediction) if form == "raw" else _in_tensors(prediction)

    def _tensors(self, predictor: Predictor, body: bytes) -> tuple[InferRequest, Mapping[str, NDArray[Any]]]:
        asked = read_request(body)
        outputs = [spec.name for spec in predictor.manifest.outputs]
        for name in asked.wanted:
            if name not in outputs:
                raise ContractBroken(f"outputs.{name}", "unknown output", ", ".join(outputs))
        inputs = read_tensors(asked.inputs)
        check(predictor.manifest, inputs)
        rows = next(iter(inputs.values())).shape[0]
        if rows > self._max_batch:
            raise ContractBroken("inputs", f"{rows} rows", f"at most {self._max_batch} rows in a request")
        return asked, inputs


def told(predictor: Predictor, prediction: Prediction, asked: InferRequest | None) -> dict[str, Any]:
    """The answer to a picture or a text in words, to tensors in tensors."""
    return _in_tensors(prediction, asked) if asked else _in_words(predictor, prediction)


def _in_words(predictor: Predictor, prediction: Prediction) -> dict[str, Any]:
    return {
        "id": str(prediction.id),
        "model": prediction.model,
        "version": prediction.version,
        "served_by": prediction.served_by,
        "reason": prediction.reason,
        **predictor.features.answer(predictor.manifest, prediction.outputs),
    }


def _in_tensors(prediction: Prediction, asked: InferRequest | None = None) -> dict[str, Any]:
    answer = write_answer(prediction, asked.id if asked else None, asked.wanted if asked else ())
    return dict(orjson.loads(answer))


def _picture(predictor: Predictor, body: bytes) -> bytes:
    if predictor.takes_text:
        raise BadInput("", Fault(where="body", what="no JSON object", allowed='{"text": "..."} or tensors'))
    try:
        sniff(body)
    except UnreadablePicture as error:
        allowed = "a JPEG, PNG or WebP picture, or tensors as JSON"
        raise BadInput(str(error), Fault(where="body", what=str(error), allowed=allowed)) from error
    return body


def _is_text(body: bytes) -> bool:
    try:
        return "text" in orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadInput(str(error), Fault(where="body", what="not JSON", allowed="a JSON object")) from error


def _text(predictor: Predictor, body: bytes) -> bytes:
    text = orjson.loads(body)["text"]
    if not predictor.takes_text or not isinstance(text, str):
        allowed = "a string" if predictor.takes_text else "a picture: this model takes no text"
        raise BadInput("", Fault(where="body.text", what="does not fit this model", allowed=allowed))
    check_language(predictor.manifest, text)
    return text.encode()
