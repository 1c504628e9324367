"""A week to come as the model sees it: the weeks before it and the calendar, nothing that is not known by then.

Everything is compared with the level of the last four weeks, so that a platform of ten uploads a
week and one of ten thousand look alike.
"""

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.contract import Arrays, Manifest
from models.weekly_demand.calendar import holidays, season
from models.weekly_demand.weeks import NAMES, SERIES, WEEK

HISTORY = 56
"""Weeks before the one to come: the same week a year ago, and the four before that."""

LEVEL = 0
"""Place of the level among the features: the mean of log(1 + count) over the last four weeks."""

BAND = ("low", "expected", "high")
MOST = 1e9


class Asked(BaseModel):
    """What a forecast is made from."""

    model_config = ConfigDict(extra="forbid")
    series: str
    category: str
    week: date
    history: list[int] = Field(min_length=HISTORY, max_length=HISTORY, description="The oldest first.")


def raw(series: str, category: str, week: date, history: Sequence[int]) -> bytes:
    """The JSON that `encode` takes; of a longer history, its end."""
    asked = {"series": series, "category": category, "week": week.isoformat(), "history": list(history[-HISTORY:])}
    return json.dumps(asked).encode()


def encode(raw: bytes) -> dict[str, NDArray[Any]]:
    """The features of one week to come, of one series in one category."""
    try:
        asked = Asked.model_validate_json(raw)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"{where or 'it'}: {first['msg']}") from error
    for what, value, known in (("series", asked.series, SERIES), ("category", asked.category, NAMES)):
        if value not in known:
            raise ValueError(f"{what}: {value[:40]!r} is none of {', '.join(known)}")
    if asked.week.weekday() != 0:
        raise ValueError(f"week: {asked.week} is no Monday")
    if min(asked.history) < 0 or max(asked.history) > MOST:
        raise ValueError(f"history: counts are from 0 to {MOST:.0f}")
    return {"features": vector(asked)[None, :]}


def vector(asked: Asked) -> NDArray[np.float32]:
    """All of it as one row."""
    past = np.log1p(np.array(asked.history, np.float64))
    return np.concatenate([trends(past), year_ago(past), calendar(asked)]).astype(np.float32)


def trends(past: NDArray[np.float64]) -> NDArray[np.float64]:
    """The level, and how the last weeks, months and half year lie to it."""
    level = past[-4:].mean()
    slower = [past[-8:].mean(), past[-13:].mean(), past[-26:].mean()]
    return np.concatenate([[level], past[-4:] - level, np.array(slower) - level])


def year_ago(past: NDArray[np.float64]) -> NDArray[np.float64]:
    """How this week a year ago, and those around it, lay to the four weeks before them."""
    level = past[-56:-52].mean()
    return np.asarray(np.array([past[-52], past[-51], past[-52:-49].mean()]) - level)


def calendar(asked: Asked) -> NDArray[np.float64]:
    """Holidays of the week, and of the one before; the season, by category; which series it is."""
    angle = 2 * np.pi * season(asked.week)
    waves = np.array([np.cos(angle), np.sin(angle), np.cos(2 * angle), np.sin(2 * angle)])
    of_category = np.zeros((len(NAMES), len(waves)))
    of_category[NAMES.index(asked.category)] = waves
    days = [*holidays(asked.week), *holidays(asked.week - WEEK)]
    return np.concatenate([days, waves, of_category.ravel(), [float(asked.series == SERIES[0])]])


SIZE = vector(Asked(series=SERIES[0], category=NAMES[0], week=date(2024, 1, 1), history=[0] * HISTORY)).size


def answer(manifest: Manifest, outputs: Arrays) -> dict[str, Any]:
    """The forecast of the first row: what is expected, and between what it will be eight times in ten."""
    return {"demand": {name: float(value) for name, value in zip(BAND, outputs["demand"][0], strict=True)}}
