"""Re-scoring: published items that other versions judged than those that serve now are judged again.

A newer model may see what an older one missed. What it would not publish goes to a moderator, by an
`item.rescored`; nothing else about the item changes.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

import numpy as np
from psycopg.types.json import Jsonb
from pydantic import BaseModel

from models.contract import Arrays
from services.chassis import outbox
from services.chassis.database import Connection
from services.chassis.files import FileStore
from services.contracts import CloudEvent, ItemRescored, ModelUsed, Reason, Verdict, picture_path
from services.deny_list import NOTHING, DenyList
from services.inference_batch import facts
from services.inference_batch.facts import FIRST, Known
from services.inference_batch.jobs import Outcome, Row
from services.prediction import NotLoaded, Prediction, PredictionRequest
from services.predictors import Predictor
from services.verdict import Opinion, decide

PICTURE, TEXT = "image_screening", "text_violation"
SOURCE = "/inference-batch"
PAGE = 500


class Rescored(BaseModel):
    """What came of one item."""

    verdict: Verdict
    reasons: list[Reason]
    models: dict[str, ModelUsed]
    scores: dict[str, float]


class Rescoring:
    """The job `rescore`."""

    name = "rescore"

    def __init__(
        self,
        predictors: dict[str, Predictor],
        files: FileStore,
        denied: DenyList = NOTHING,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._predictors = {name: predictors[name] for name in (PICTURE, TEXT)}
        self._files, self._denied, self._clock = files, denied, clock

    def versions(self) -> dict[str, str]:
        """What serves now; raises NotLoaded while something does not."""
        found = {name: predictor.version for name, predictor in self._predictors.items()}
        missing = [name for name, version in found.items() if version is None]
        if missing:
            raise NotLoaded(f"{', '.join(missing)}: not loaded yet")
        return {name: version for name, version in found.items() if version}

    async def count(self, connection: Connection, moment: datetime) -> int:
        """Published items; fewer may need it."""
        return await facts.count_published(connection, moment)

    async def rows(self, connection: Connection, moment: datetime, after: str, limit: int) -> Sequence[Row]:
        """Items behind the key that other versions judged; a page of those that need nothing is passed over."""
        versions, last = self.versions(), UUID(after) if after else FIRST
        found: list[Row] = []
        while len(found) < limit:
            page = await facts.published(connection, moment, last, max(limit, PAGE))
            found += [Row(str(item.item_id), item) for item in page if self._is_old(item, versions)]
            if len(page) < max(limit, PAGE):
                break
            last = page[-1].item_id
        return found[:limit]

    async def some(self, connection: Connection, moment: datetime, keys: Sequence[str]) -> Sequence[Row]:
        """The items of these keys that are published still as far as was known."""
        found = [await facts.published(connection, moment, UUID(int=UUID(key).int - 1), 1) for key in keys]
        return [
            Row(key, page[0]) for key, page in zip(keys, found, strict=True) if page and str(page[0].item_id) == key
        ]

    async def work(self, rows: Sequence[Row]) -> list[Outcome]:
        """Judge a chunk: pictures and texts as one batch each."""
        pictures, texts = await asyncio.gather(
            self._encoded(PICTURE, [self._picture(row.content) for row in rows]),
            self._encoded(TEXT, [_text(row.content) for row in rows]),
        )
        readable = [
            at for at in range(len(rows)) if not isinstance(pictures[at], str) and not isinstance(texts[at], str)
        ]
        asked = await asyncio.gather(
            self._asked(PICTURE, [pictures[at] for at in readable]), self._asked(TEXT, [texts[at] for at in readable])
        )
        judged = {at: (asked[0][place], asked[1][place]) for place, at in enumerate(readable)}
        return [self._outcome(row, judged.get(at), pictures[at], texts[at]) for at, row in enumerate(rows)]

    async def keep(self, connection: Connection, run_id: UUID, outcomes: Sequence[Outcome]) -> None:
        """One row an item."""
        values = [
            (
                run_id,
                outcome.row.content.item_id,
                outcome.row.content.revision,
                outcome.row.content.sequence,
                outcome.result.verdict,
                Jsonb(outcome.result.model_dump(mode="json")),
            )
            for outcome in outcomes
        ]
        async with connection.cursor() as cursor:
            await cursor.executemany(
                """
                INSERT INTO rescored (run_id, item_id, revision, sequence, verdict, result)
                VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
                """,
                values,
            )

    async def forget(self, connection: Connection, run_id: UUID) -> None:
        """As if it had never run."""
        await connection.execute("DELETE FROM rescored WHERE run_id = %s", (run_id,))

    async def tell(self, connection: Connection, run_id: UUID, limit: int) -> int:
        """An event for each item that would not be published now."""
        found = await connection.execute(
            """
            UPDATE rescored SET told_at = now() WHERE (run_id, item_id) IN (
                SELECT run_id, item_id FROM rescored
                WHERE run_id = %s AND told_at IS NULL AND verdict <> 'publish' ORDER BY item_id LIMIT %s
            ) RETURNING *
            """,
            (run_id, limit),
        )
        rows = await found.fetchall()
        for row in rows:
            await outbox.add(connection, CloudEvent.of(_event(row), source=SOURCE))
        return len(rows)

    def _is_old(self, item: Known, versions: dict[str, str]) -> bool:
        return any(item.models.get(name) != version for name, version in versions.items())

    async def _picture(self, item: Known) -> bytes:
        return await self._files.read(picture_path(item.image_id))

    async def _encoded(self, model: str, raws: Sequence[Any]) -> list[Arrays | str]:
        """Features of each, or why there are none."""
        encode = self._predictors[model].features.encode

        async def one(raw: Any) -> Arrays | str:
            try:
                return await asyncio.to_thread(encode, await raw)
            except Exception as error:  # one unreadable row is that row's failure
                return repr(error)

        return await asyncio.gather(*(one(raw) for raw in raws))

    async def _asked(self, model: str, encoded: Sequence[Any]) -> list[tuple[Prediction, Arrays]]:
        """The prediction for all, and each row's part of the outputs."""
        if not encoded:
            return []
        inputs = {name: np.concatenate([arrays[name] for arrays in encoded]) for name in encoded[0]}
        prediction = await self._predictors[model].predict(PredictionRequest(model, inputs))
        parts = [{name: array[at : at + 1] for name, array in prediction.outputs.items()} for at in range(len(encoded))]
        return [(prediction, part) for part in parts]

    def _outcome(self, row: Row, judged: Any, picture: Any, text: Any) -> Outcome:
        if judged is None:
            return Outcome(row, error=next(why for why in (picture, text) if isinstance(why, str)))
        defaults = [prediction for prediction, _ in judged if prediction.served_by == "default"]
        if defaults:
            return Outcome(row, error=f"{defaults[0].model}: the default answered ({defaults[0].reason})")
        opinions = [
            self._opinion(PICTURE, "picture", *judged[0]),
            self._opinion(TEXT, "text", *judged[1]),
        ]
        decision = decide(opinions, row.content.category, self._denied)
        used = {
            prediction.model: ModelUsed(
                version=prediction.version, served_by=prediction.served_by, prediction_id=prediction.id
            )
            for prediction, _ in judged
        }
        scores = {opinion.model: opinion.violation for opinion in opinions}
        return Outcome(row, Rescored(verdict=decision.verdict, reasons=decision.reasons, models=used, scores=scores))

    def _opinion(self, model: str, about: Literal["picture", "text"], prediction: Prediction, part: Arrays) -> Opinion:
        predictor = self._predictors[model]
        return Opinion(
            model=model,
            about=about,
            answer=predictor.features.answer(predictor.manifest, part),
            thresholds=predictor.manifest.thresholds,
            served_by=prediction.served_by,
            why_default=prediction.reason,
        )


async def _text(item: Known) -> bytes:
    return f"{item.title}\n{item.description}".encode()


def _event(row: dict[str, Any]) -> ItemRescored:
    result = Rescored.model_validate(row["result"])
    return ItemRescored(
        item_id=row["item_id"],
        revision=row["revision"],
        sequence=row["sequence"],
        run_id=row["run_id"],
        verdict=result.verdict,
        reasons=result.reasons,
        models=result.models,
        rescored_at=row["scored_at"],
    )
