"""The weekly forecast: how many uploads and searches each category will have in the week that begins.

Only weeks that were over when the window ended are looked at, however late the run is. Where the
model is switched off, the baseline is the forecast and says so.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import numpy as np

from models.contract import Arrays
from models.weekly_demand.features import HISTORY, encode, raw
from models.weekly_demand.past import past
from models.weekly_demand.weeks import NAMES, SERIES, Known, begins, history, table, week_of
from services.chassis.database import Connection
from services.inference_batch.happened import Happened
from services.inference_batch.jobs import Outcome, Row
from services.prediction import Prediction, PredictionRequest
from services.predictors import Predictor

MODEL = "weekly_demand"
YEAR = 52
SWITCHED_OFF = "switched_off"


@dataclass(frozen=True)
class Asked:
    """One week to come, and the weeks before it."""

    week: date
    series: str
    category: str
    history: Sequence[int]
    simulated_weeks: int

    @property
    def baseline(self) -> int:
        """Seasonal-naive: the same week a year before."""
        return self.history[-YEAR]


@dataclass(frozen=True)
class Forecast:
    """What is said of the week."""

    expected: float
    low: float | None
    high: float | None
    version: str
    served_by: str


class Forecasting:
    """The job `weekly_demand`."""

    name = MODEL

    def __init__(self, predictor: Predictor, happened: Happened) -> None:
        self._predictor, self._happened = predictor, happened

    async def count(self, connection: Connection, moment: datetime) -> int:
        """A forecast for each series and category."""
        return len(SERIES) * len(NAMES)

    async def rows(self, connection: Connection, moment: datetime, after: str, limit: int) -> Sequence[Row]:
        """What is to be forecast, behind the key `SERIES/CATEGORY`."""
        return [row for row in await self._all(moment) if row.key > after][:limit]

    async def some(self, connection: Connection, moment: datetime, keys: Sequence[str]) -> Sequence[Row]:
        """Just these."""
        return [row for row in await self._all(moment) if row.key in keys]

    async def work(self, rows: Sequence[Row]) -> list[Outcome]:
        """One prediction for all of them."""
        if not rows:
            return []
        asked: list[Asked] = [row.content for row in rows]
        inputs = await asyncio.to_thread(_encoded, asked)
        prediction = await self._predictor.predict(PredictionRequest(MODEL, inputs))
        return [_outcome(row, prediction, at) for at, row in enumerate(rows)]

    async def keep(self, connection: Connection, run_id: UUID, outcomes: Sequence[Outcome]) -> None:
        """A row each."""
        async with connection.cursor() as cursor:
            await cursor.executemany(
                """
                INSERT INTO forecasts (run_id, week, series, category, expected, low, high, baseline, version,
                                       served_by, simulated_weeks)
                VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
                """,
                [_values(run_id, outcome.row.content, outcome.result) for outcome in outcomes],
            )

    async def forget(self, connection: Connection, run_id: UUID) -> None:
        """As if it had never run."""
        await connection.execute("DELETE FROM forecasts WHERE run_id = %s", (run_id,))

    async def tell(self, connection: Connection, run_id: UUID, limit: int) -> int:
        """Nobody waits for it: who wants to know reads the table."""
        return 0

    async def _all(self, moment: datetime) -> list[Row]:
        """The week that the moment lies in is the one to come: the last whole one ended before it."""
        week = week_of(moment)
        known = table(past(await self._happened(begins(week)), week, HISTORY))
        return [Row(f"{series}/{category}", _asked(known, series, category, week)) for series, category in _every()]


def _every() -> list[tuple[str, str]]:
    """In the order of the keys."""
    return sorted((series, category) for series in SERIES for category in NAMES)


def _asked(known: Known, series: str, category: str, week: date) -> Asked:
    weeks = history(known, series, category, week, HISTORY)
    return Asked(week, series, category, [one.count for one in weeks], sum(one.simulated for one in weeks))


def _encoded(asked: Sequence[Asked]) -> Arrays:
    rows = [encode(raw(one.series, one.category, one.week, one.history)) for one in asked]
    return {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}


def _outcome(row: Row, prediction: Prediction, at: int) -> Outcome:
    asked: Asked = row.content
    if prediction.served_by == "model":
        low, expected, high = (float(value) for value in prediction.outputs["demand"][at])
        return Outcome(row, Forecast(expected, low, high, prediction.version, "model"))
    if prediction.reason == SWITCHED_OFF:
        return Outcome(row, Forecast(float(asked.baseline), None, None, "seasonal-naive", "default"))
    return Outcome(row, error=f"{MODEL}: the default answered ({prediction.reason})")


def _values(run_id: UUID, asked: Asked, said: Forecast) -> tuple[object, ...]:
    return (
        *(run_id, asked.week, asked.series, asked.category, said.expected, said.low, said.high),
        *(asked.baseline, said.version, said.served_by, asked.simulated_weeks),
    )
