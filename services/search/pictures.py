"""Turns a picture somebody sends into the numbers that similar pictures are found by."""

import asyncio
from collections.abc import Callable

from models.contract import Arrays
from models.pictures import UnreadablePicture
from services.chassis.errors import BadInput, Fault, Unavailable
from services.prediction import Predict, Prediction, PredictionRequest

MODEL = "image_screening"
MAX_PICTURE_BYTES = 10 * 1024 * 1024

Encode = Callable[[bytes], Arrays]


class Pictures:
    """The features are made here, by the code training uses; the model runs in its host."""

    def __init__(self, encode: Encode, predict: Predict, at_once: int = 1) -> None:
        self._encode, self._predict = encode, predict
        self._slots = asyncio.Semaphore(at_once)

    async def embedding(self, raw: bytes) -> list[float]:
        """Where the picture lies; raises BadInput where it is none, Unavailable where no model answers."""
        if len(raw) > MAX_PICTURE_BYTES:
            raise BadInput("The picture is too large.", _fault("too large", f"at most {MAX_PICTURE_BYTES} bytes"))
        prediction = await self._asked(PredictionRequest(MODEL, await self._features(raw)))
        if prediction.served_by != "model":
            raise Unavailable("No model is there to compare pictures.")
        return [float(number) for number in prediction.outputs["embedding"][0]]

    async def _asked(self, request: PredictionRequest) -> Prediction:
        try:
            return await self._predict(request)
        except TimeoutError as error:
            raise Unavailable("The model is too slow right now.") from error

    async def _features(self, raw: bytes) -> Arrays:
        async with self._slots:
            try:
                return await asyncio.to_thread(self._encode, raw)
            except UnreadablePicture as error:
                raise BadInput(str(error), _fault(str(error), "a JPEG, PNG or WebP picture")) from error


def _fault(what: str, allowed: str) -> Fault:
    return Fault(where="body.file", what=what, allowed=allowed)
