"""What was wanted, week by week and category by category: what the forecast of the weekly demand goes on with."""

from datetime import UTC, date, datetime, timedelta

from pydantic import BaseModel

from models.labels import CATEGORIES, names
from services.warehouse.duck import Rows
from services.warehouse.views import Question

WEEK = timedelta(days=7)

WANTED = Question(
    ["item_registered", "item_screened", "search_shown"],
    """
    WITH programs AS (
        SELECT DISTINCT subject FROM search_shown WHERE simulated
    ), judged AS (
        SELECT item_id, revision, any_value(category->>'label') AS label FROM item_screened GROUP BY item_id, revision
    ), wanted AS (
        SELECT registered_at AS moment, 'uploads' AS series, coalesce(category, label) AS category
        FROM item_registered LEFT JOIN judged USING (item_id, revision)
        WHERE revision = 1 AND event_time < $until
          AND owner_id NOT IN (SELECT subject FROM programs WHERE subject IS NOT NULL)
        UNION ALL
        SELECT shown_at, 'searches', category FROM search_shown WHERE NOT simulated AND event_time < $until
    )
    SELECT date_trunc('week', moment)::DATE AS week, series, category, count(*) AS count
    FROM wanted WHERE moment >= $since GROUP BY ALL ORDER BY week, series, category
    """,
)
"""Without programs that play users: they want nothing."""


class Wanted(BaseModel):
    """One week of one series in one category."""

    week: date
    series: str
    category: str
    count: int


class Demand(BaseModel):
    """Every whole week that was over, from the platform's first whole one on; nothing at all is a count of 0."""

    weeks: list[Wanted]


def demand(rows: Rows, until: datetime) -> Demand:
    """The counts of every week that was over, with those that are 0."""
    counts = {(date.fromisoformat(row["week"]), row["series"], row["category"]): row["count"] for row in rows}
    if not counts:
        return Demand(weeks=[])
    week, weeks = min(counts)[0] + WEEK, []  # the first one began before the platform did
    while datetime.combine(week + WEEK, datetime.min.time(), UTC) <= until:
        weeks += [
            Wanted(week=week, series=series, category=category, count=counts.get((week, series, category), 0))
            for series in ("uploads", "searches")
            for category in names(CATEGORIES)
        ]
        week += WEEK
    return Demand(weeks=weeks)
