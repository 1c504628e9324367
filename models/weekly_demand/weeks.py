"""Weeks, and what is counted in them. A week begins on Monday, 00:00 UTC, and is named by that day."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from models.labels import CATEGORIES, names

SERIES = ("uploads", "searches")
"""What is counted: items that were registered, pages of results that were shown."""

NAMES = tuple(names(CATEGORIES))
WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Count:
    """What one week brought in one category. Simulated: generated, it never happened."""

    week: date
    series: str
    category: str
    count: int
    simulated: bool


def week_of(moment: datetime | date) -> date:
    """The Monday of the week that the moment lies in."""
    day = moment.astimezone(UTC).date() if isinstance(moment, datetime) else moment
    return day - timedelta(days=day.weekday())


def begins(week: date) -> datetime:
    """The moment the week begins, which is when the one before is over."""
    return datetime.combine(week, time(), UTC)


def before(week: date, how_many: int) -> list[date]:
    """So many weeks up to but without this one, the oldest first."""
    return [week - WEEK * back for back in range(how_many, 0, -1)]


Known = Mapping[tuple[str, str, date], Count]
"""Counts by series, category and week."""


def table(counts: Iterable[Count]) -> dict[tuple[str, str, date], Count]:
    """By series, category and week."""
    return {(count.series, count.category, count.week): count for count in counts}


def history(known: Known, series: str, category: str, week: date, how_many: int) -> Sequence[Count]:
    """The weeks before this one; raises KeyError where one is missing."""
    return [known[series, category, one] for one in before(week, how_many)]
