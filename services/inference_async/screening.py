"""Screens one item: asks the models, decides, and says so in an `item.screened`."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

from models.contract import Manifest
from services.chassis.files import FileStore
from services.contracts import ItemRegistered, ItemScreened, Judgement, ModelUsed, picture_path
from services.prediction import Prediction
from services.verdict import OK, Opinion, decide, is_rejected, tags

QUICK, PICTURE, TEXT = "image_quick", "image_screening", "text_violation"


class Judge(Protocol):
    """A predictor, as much of it as screening needs."""

    @property
    def manifest(self) -> Manifest:
        """The contract in force."""
        ...

    async def judge(self, raw: bytes) -> tuple[Prediction, dict[str, Any]]:
        """From raw bytes to the answer in words."""
        ...


@dataclass(frozen=True)
class Asked:
    """An opinion and the prediction it came from."""

    opinion: Opinion
    prediction: Prediction


class Screener:
    """The three models of an item's screening."""

    def __init__(
        self,
        judges: Mapping[str, Judge],
        files: FileStore,
        *,
        embedding_version: str,
        denied: Collection[str] = (),
    ) -> None:
        self._judges, self._files = judges, files
        self._embedding_version, self._denied = embedding_version, denied

    async def screen(self, item: ItemRegistered) -> ItemScreened:
        """Judge one revision of an item; raises FileNotStored, UnreadablePicture."""
        picture = await self._files.read(picture_path(item.image_id))
        asked = await self._ask_all(picture, f"{item.title}\n{item.description}".encode())
        return self._screened(item, asked)

    async def _ask_all(self, picture: bytes, text: bytes) -> list[Asked]:
        """The quick look first: what it rejects, the slow one need not see."""
        quick, words = await asyncio.gather(
            self._ask(QUICK, "picture", picture, judge=False), self._ask(TEXT, "text", text)
        )
        if is_rejected(quick.opinion):
            return [quick, words]
        return [quick, words, await self._ask(PICTURE, "picture", picture)]

    async def _ask(self, model: str, about: Literal["picture", "text"], raw: bytes, *, judge: bool = True) -> Asked:
        prediction, answer = await self._judges[model].judge(raw)
        opinion = Opinion(
            model=model,
            about=about,
            answer=answer,
            thresholds=self._judges[model].manifest.thresholds,
            served_by=prediction.served_by,
            why_default=prediction.reason,
            judge=judge,
        )
        return Asked(opinion, prediction)

    def _screened(self, item: ItemRegistered, asked: list[Asked]) -> ItemScreened:
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
            models={one.opinion.model: used(one.prediction) for one in asked},
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
