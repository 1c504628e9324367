"""Publish / subscribe: any service asks for a prediction by an event, and whoever listens hears the answer."""

from services.chassis.files import FileStore
from services.contracts import CloudEvent, PredictionMade, PredictionRequested, picture_path
from services.inference_async.answering import Answers, Given
from services.prediction import Context


class NothingToPredict(ValueError):
    """The event names neither a picture nor a text, or both."""


class Requested:
    """Makes `prediction.made` of `prediction.requested`."""

    def __init__(self, answers: Answers, files: FileStore) -> None:
        self._answers, self._files = answers, files

    async def made(self, asked: PredictionRequested, event: CloudEvent, age_seconds: float) -> PredictionMade:
        """The answer; raises what makes the event a dead letter, or TryAgain while the model is away."""
        prediction = await self._answers.answer(
            Given("raw", 1, await self._raw(asked)),
            asked.model,
            id=asked.prediction_id,
            age_seconds=age_seconds,
            context=Context(request_id=event.requestid or "", client=event.source),
        )
        return PredictionMade(prediction_id=asked.prediction_id, model=asked.model, prediction=prediction)

    async def _raw(self, asked: PredictionRequested) -> bytes:
        if (asked.image_id is None) == (asked.text is None):
            raise NothingToPredict(NothingToPredict.__doc__)
        if asked.image_id is not None:
            return await self._files.read(picture_path(asked.image_id))
        return (asked.text or "").encode()
