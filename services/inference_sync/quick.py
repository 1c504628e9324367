"""Predicts in the turn of the event loop in which a usual request came, whichever protocol brought it."""

from models.contract import Arrays, Manifest
from services.chassis.ids import as_text, new_id
from services.chassis.logs import request_id
from services.inference_sync.asking import Askers, Headers, asked_by, parameters
from services.prediction import Prediction, PredictionRequest
from services.predictors import Predictor


class Quick:
    """One model, for who does not wait."""

    def __init__(self, predictor: Predictor, askers: Askers) -> None:
        self._predictor, self._askers = predictor, askers

    @property
    def manifest(self) -> Manifest:
        """The contract in force."""
        return self._predictor.manifest

    def answer(self, headers: Headers, inputs: Arrays, rows: int) -> tuple[str, Prediction] | None:
        """The request's id and the prediction; None where it would have to be waited for. Raises what fails."""
        predict = self._predictor.at_once
        if predict is None or not self._predictor.answers_at_once(rows):
            return None
        new = new_id()
        asker = asked_by(headers) or as_text(new)
        token = request_id.set(asker)
        try:
            context, marks = self._askers.context(headers, asker), parameters(headers)
            return asker, predict(PredictionRequest(self._predictor.name, inputs, new, marks, context))
        finally:
            request_id.reset(token)
