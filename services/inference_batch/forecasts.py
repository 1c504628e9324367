"""What was forecast, what came, and how good that was: for people, and for the page."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from pydantic import BaseModel

from models.weekly_demand.past import past
from models.weekly_demand.weeks import WEEK, Count, begins, table, week_of
from services.chassis.database import Database
from services.inference_batch.happened import Happened


class Brought(BaseModel):
    """A week that is over."""

    week: date
    series: str
    category: str
    count: int
    simulated: bool


class Forecast(BaseModel):
    """What was said of a week before it began. `came` is nothing while it is not over."""

    week: date
    series: str
    category: str
    expected: float
    low: float | None
    high: float | None
    baseline: float
    version: str
    served_by: str
    made_at: datetime
    came: int | None = None


class Quality(BaseModel):
    """The last forecasts against what came: errors summed, as a part of what was counted."""

    series: str
    weeks: int
    wape: float
    wape_baseline: float
    inside: float | None
    simulated: bool


class Demand(BaseModel):
    """The weeks before, the forecasts, and how good the last of them were."""

    week: date
    happened: bool
    brought: list[Brought]
    forecasts: list[Forecast]
    quality: list[Quality]


QUESTION = """
SELECT DISTINCT ON (forecasts.week, series, category)
       forecasts.week, series, category, expected, low, high, baseline, version, served_by, made_at
FROM forecasts JOIN runs ON runs.id = forecasts.run_id
WHERE runs.state = 'done' AND forecasts.week >= %s
ORDER BY forecasts.week, series, category, made_at DESC
"""


async def demand(database: Database, happened: Happened, now: datetime, weeks: int) -> Demand:
    """So many weeks that are over, and what was said of them and of the one that runs."""
    week = week_of(now)
    real = await happened(begins(week))
    brought = past(real, week, weeks)
    said = with_what_came(await _said(database, week - weeks * WEEK), brought)
    shown = [Brought(**vars(count)) for count in brought]
    return Demand(week=week, happened=bool(real), brought=shown, forecasts=said, quality=quality(said, brought))


async def _said(database: Database, since: date) -> list[Forecast]:
    async with database.connection() as connection:
        rows = await (await connection.execute(QUESTION, (since,))).fetchall()
    return [Forecast.model_validate(row) for row in rows]


def with_what_came(said: Iterable[Forecast], brought: Sequence[Count]) -> list[Forecast]:
    """Each forecast with the count of its week, if that is over."""
    known = table(brought)
    found = [(one, known.get((one.series, one.category, one.week))) for one in said]
    return [one.model_copy(update={"came": came.count if came else None}) for one, came in found]


def quality(said: Sequence[Forecast], brought: Sequence[Count]) -> list[Quality]:
    """By series, over every week that was forecast and is over."""
    simulated = {count.week for count in brought if count.simulated}
    found = []
    for series in sorted({one.series for one in said}):
        over = [one for one in said if one.series == series and one.came is not None]
        if total := sum(one.came or 0 for one in over):
            found.append(_quality(series, over, total, any(one.week in simulated for one in over)))
    return found


def _quality(series: str, over: Sequence[Forecast], total: int, simulated: bool) -> Quality:
    bands = [one.low <= (one.came or 0) <= one.high for one in over if one.low is not None and one.high is not None]
    return Quality(
        series=series,
        weeks=len({one.week for one in over}),
        wape=sum(abs((one.came or 0) - one.expected) for one in over) / total,
        wape_baseline=sum(abs((one.came or 0) - one.baseline) for one in over) / total,
        inside=sum(bands) / len(bands) if bands else None,
        simulated=simulated,
    )
