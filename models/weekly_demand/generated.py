"""A generated history: years of weeks that never happened, for a platform that is younger than a year.

Trend, yearly season, holidays, weeks with a push, a memory from week to week, and chance. The same
week has the same counts wherever and whenever it is asked for, however many weeks are asked for:
training and serving see the same past. Every count is marked simulated.
"""

from collections.abc import Iterable
from datetime import date
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from models.weekly_demand.calendar import holidays, season
from models.weekly_demand.weeks import NAMES, SERIES, WEEK, Count

ORIGIN = date(2020, 1, 6)
SEED = 20200106

BASE = {
    "uploads": (90, 80, 45, 40, 30, 70, 35, 110, 55, 40),
    "searches": (620, 560, 240, 190, 130, 380, 170, 640, 300, 210),
}
"""An ordinary week of each category, in the order of the labels."""

PEAK = (0.02, 0.30, 0.33, 0.55, 0.55, 0.27, 0.68, 0.97, 0.40, 0.25)
"""When in the year a category is at its height: birds in spring, insects in summer, food at its end."""

SWING = (0.08, 0.10, 0.30, 0.28, 0.60, 0.55, 0.32, 0.18, 0.14, 0.12)
MEMORY, CHANCE, PUSH, PUSH_CHANCE = 0.65, 0.075, 0.40, 0.05
HOLIDAY_EFFECT = (0.22, 0.16, 0.10)
"""Of the turn of the year, Golden Week and Obon, for somebody who likes holidays."""


def generated(weeks: Iterable[date]) -> list[Count]:
    """The counts of these weeks, in every series and category."""
    wanted = sorted(weeks)
    if not wanted:
        return []
    length = (wanted[-1] - ORIGIN) // WEEK + 1
    return [
        Count(week, series, category, int(one[(week - ORIGIN) // WEEK]), simulated=True)
        for series in SERIES
        for place, category in enumerate(NAMES)
        for one in [counts(series, place, rounded(length))]
        for week in wanted
    ]


def rounded(length: int) -> int:
    """Few different lengths, so that what was computed is found again."""
    return -(-length // 104) * 104


@lru_cache(maxsize=64)
def counts(series: str, place: int, length: int) -> NDArray[np.int64]:
    """The first so many weeks since the origin. Chance is drawn in the order of the weeks: more of them change none."""
    chance, push, poisson = (np.random.default_rng([SEED, SERIES.index(series), place, kind]) for kind in range(3))
    weeks = [ORIGIN + WEEK * number for number in range(length)]
    level = np.log(BASE[series][place]) + trend(place, length) + yearly(place, weeks) + festive(place, weeks)
    level += remembered(chance.standard_normal(length) * CHANCE)
    level += PUSH * (push.random(length) < PUSH_CHANCE)
    return np.array([poisson.poisson(mean) for mean in np.exp(level)], np.int64)


def trend(place: int, length: int) -> NDArray[np.float64]:
    """Slow waves instead of a line: it may be asked for twenty years."""
    years = np.arange(length) / 52.18
    return np.asarray(0.25 * np.sin(2 * np.pi * (years / 5.3 + place / 10)))


def yearly(place: int, weeks: list[date]) -> NDArray[np.float64]:
    """The season of a category."""
    angle = 2 * np.pi * (np.array([season(week) for week in weeks]) - PEAK[place])
    return np.asarray(SWING[place] * (np.cos(angle) + 0.3 * np.cos(2 * angle)))


def festive(place: int, weeks: list[date]) -> NDArray[np.float64]:
    """Holidays; some categories have more of them than others."""
    days = np.array([holidays(week) for week in weeks])
    return np.asarray(days @ np.array(HOLIDAY_EFFECT) * (0.4 + 0.15 * (place % 5)))


def remembered(shocks: NDArray[np.float64]) -> NDArray[np.float64]:
    """What a week has of the week before."""
    state, found = 0.0, np.zeros(len(shocks))
    for number, shock in enumerate(shocks):
        state = MEMORY * state + shock
        found[number] = state
    return found
