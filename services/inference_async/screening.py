"""Screens one item: asks the models, decides, and says so in an `item.screened`."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

from models.contract import Manifest
from services.chassis.files import FileStore
from services.contracts import Attributes, ItemRegistered, ItemScreened, Judgement, ModelUsed, picture_path
from services.deny_list import NOTHING, DenyList
from services.inference_async.noticing import Noticer
from services.prediction import Prediction
from services.predictors import Encoded
from services.verdict import OK, Opinion, decide, is_rejected, tags

QUICK, PICTURE, TEXT = "image_quick", "image_screening", "text_violation"
JUDGES = (QUICK, PICTURE, TEXT)
About = Literal["picture", "text"]


class Judge(Protocol):
    """A predictor, as much of it as screening needs."""

    @property
    def manifest(self) -> Manifest:
        """The contract in force."""
        ...

    async def encoded(self, raw: bytes) -> Encoded:
        """The tensors of raw bytes."""
        ...

    async def predict_encoded(self, encoded: Encoded) -> Prediction:
        """From tensors."""
        ...

    def in_words(self, prediction: Prediction) -> dict[str, Any]:
        """What an answer means."""
        ...


@dataclass(frozen=True)
class Asked:
    """An opinion and the prediction it came from."""

    opinion: Opinion
    prediction: Prediction


@dataclass(frozen=True)
class Looked:
    """The opinions, and what else was noticed in the picture."""

    asked: list[Asked]
    noticed: tuple[Attributes, Prediction] | None = None

    @property
    def predictions(self) -> list[Prediction]:
        """Every answer of a model that the screening is made of."""
        return [one.prediction for one in self.asked] + ([self.noticed[1]] if self.noticed else [])


class Screener:
    """The three models of an item's screening, and one that says what else the picture shows."""

    def __init__(
        self,
        judges: Mapping[str, Judge],
        files: FileStore,
        *,
        embedding_version: str,
        denied: DenyList = NOTHING,
        notice_seconds: float = 1.0,
    ) -> None:
        self._judges, self._files = judges, files
        self._noticer = Noticer(judges, seconds=notice_seconds)
        self._embedding_version, self._denied = embedding_version, denied

    async def screen(self, item: ItemRegistered) -> ItemScreened:
        """Judge one revision of an item; raises FileNotStored, UnreadablePicture."""
        picture = await self._files.read(picture_path(item.image_id))
        looked = await self._ask_all(picture, f"{item.title}\n{item.description}".encode())
        return self._screened(item, looked)

    async def _ask_all(self, picture: bytes, text: bytes) -> Looked:
        """The quick look first: what it rejects, the slow ones need not see. Those two see the same tensor."""
        quick, words = await asyncio.gather(
            self._ask(QUICK, "picture", picture, judge=False), self._ask(TEXT, "text", text)
        )
        if is_rejected(quick.opinion):
            return Looked([quick, words])
        encoded = await self._judges[PICTURE].encoded(picture)
        asked, noticed = await asyncio.gather(
            self._opinion(PICTURE, "picture", encoded), self._noticer.notice(picture, encoded)
        )
        return Looked([quick, words, asked], noticed)

    async def _ask(self, model: str, about: About, raw: bytes, *, judge: bool = True) -> Asked:
        return await self._opinion(model, about, await self._judges[model].encoded(raw), judge=judge)

    async def _opinion(self, model: str, about: About, encoded: Encoded, *, judge: bool = True) -> Asked:
        prediction = await self._judges[model].predict_encoded(encoded)
        opinion = Opinion(
            model=model,
            about=about,
            answer=self._judges[model].in_words(prediction),
            thresholds=self._judges[model].manifest.thresholds,
            served_by=prediction.served_by,
            why_default=prediction.reason,
            judge=judge,
        )
        return Asked(opinion, prediction)

    def _screened(self, item: ItemRegistered, looked: Looked) -> ItemScreened:
        asked = looked.asked
        decision = decide([one.opinion for one in asked], item.category, self._denied)
        by_model = {one.opinion.model: one.opinion for one in asked}
        picture = by_model.get(PICTURE, by_model[QUICK])
        return ItemScreened(
            item_id=item.item_id,
            revision=item.revision,
            sequence=item.sequence,
            verdict=decision.verdict,
            reasons=decision.reasons,
            category=Judgement.model_validate(picture.answer["category"] | {"sure": picture.sure_of_category}),
            violation=violation(picture),
            text_violation=violation(by_model[TEXT]),
            tags=tags(picture, item.category, self._denied),
            embedding=picture.answer.get("embedding", []) if picture.real else [],
            embedding_version=self._embedding_version,
            attributes=looked.noticed[0] if looked.noticed else None,
            models={prediction.model: used(prediction) for prediction in looked.predictions},
            screened_at=datetime.now(UTC),
        )


def violation(opinion: Opinion) -> Judgement:
    """The violation as events have it: the rule that would be broken, and how likely it is that one is."""
    top = opinion.answer["violation"].get("top", [])
    label = OK if opinion.answer["violation"]["label"] == OK else opinion.broken_rule
    return Judgement(label=label, score=opinion.violation, top=top)


def used(prediction: Prediction) -> ModelUsed:
    """Which model answered."""
    return ModelUsed(version=prediction.version, served_by=prediction.served_by, prediction_id=prediction.id)
