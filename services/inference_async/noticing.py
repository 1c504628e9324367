"""Notices what a picture shows besides its category. It decides nothing, so nothing waits for it for long."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Protocol

from models.contract import Manifest
from models.object_attributes.features import attributes
from models.object_attributes.frame import seen
from services.contracts import Attributes
from services.prediction import Prediction
from services.predictors import Encoded

DETECTOR = "object_attributes"
log = logging.getLogger(__name__)


class Looks(Protocol):
    """A predictor, as much of it as noticing needs."""

    @property
    def manifest(self) -> Manifest:
        """The contract in force."""
        ...

    async def predict_encoded(self, encoded: Encoded) -> Prediction:
        """From tensors that another model of the same input made."""
        ...


class Noticer:
    """Asks the detector, if there is one."""

    def __init__(self, predictors: Mapping[str, Looks], *, seconds: float) -> None:
        self._detector, self._seconds = predictors.get(DETECTOR), seconds

    async def notice(self, picture: bytes, encoded: Encoded) -> tuple[Attributes, Prediction] | None:
        """What it sees in the whole picture; nothing when it is away, off, late or broken."""
        if self._detector is None:
            return None
        try:
            async with asyncio.timeout(self._seconds):
                prediction = await self._detector.predict_encoded(encoded)
            if prediction.served_by != "model":
                return None
            told = attributes(self._detector.manifest, prediction.outputs, seen(picture))
            return Attributes.model_validate(told), prediction
        except Exception as error:  # whatever it is, the verdict does not depend on it
            log.warning("no attributes: %r", error, extra={"action": "attributes.failed"})
            return None
