"""What the gateway itself answers for a model when no host does: the declared default, marked as one.

It knows neither the model's version nor how many rows were sent: the answer is that of one row.
"""

import importlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import models
from models.contract import Manifest
from services.open_inference import write_answer
from services.patterns.fallback import default_answer
from services.prediction import Prediction, PredictionRequest

NO_HOST = "no_host"
"""Reason of such an answer."""


@dataclass(frozen=True)
class DefaultAnswer:
    """What is answered at paths of this shape."""

    path: str
    """A regular expression of the whole path, a query included."""
    body: str
    """JSON, for a format string of Envoy."""


def default_answers() -> list[DefaultAnswer]:
    """For every model there is, on both roads."""
    folders = sorted(path.parent.name for path in Path(models.__path__[0]).glob("*/contract.py"))
    return [answer for name in folders for answer in _of(name)]


def _of(name: str) -> Iterator[DefaultAnswer]:
    manifest: Manifest = importlib.import_module(f"models.{name}.contract").contract()
    features: Any = importlib.import_module(f"models.{name}.features")
    prediction = default_answer(manifest, PredictionRequest(name, {}), NO_HOST)
    yield _at(name, "infer", _tensors(prediction))
    yield _at(name, "predict", _words(prediction, features.answer(manifest, prediction.outputs)))


def _at(name: str, road: str, body: dict[str, Any]) -> DefaultAnswer:
    path = f"/v2/models/{name}(/versions/[^/]+)?/{road}([?].*)?"
    return DefaultAnswer(path, json.dumps(body).replace("%", "%%"))


def _tensors(prediction: Prediction) -> dict[str, Any]:
    """As the Open Inference Protocol has it; without an id, because it was never logged."""
    body: dict[str, Any] = json.loads(write_answer(prediction))
    del body["id"], body["parameters"]["prediction_id"]
    return body


def _words(prediction: Prediction, answer: dict[str, Any]) -> dict[str, Any]:
    who = {"model": prediction.model, "version": prediction.version}
    return {"id": None, **who, "served_by": prediction.served_by, "reason": prediction.reason, **answer}
