"""The figures an operator asks for: what users did with what models gave them."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import combinations, groupby
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from services.warehouse.duck import Rows
from services.warehouse.intervals import Rate, Sums, Verdict, difference, wilson
from services.warehouse.snapshots import IMPRESSION
from services.warehouse.views import Question

BETWEEN = "event_time >= $since AND event_time < $until"
LIKED_WITHIN = "INTERVAL 1 DAY"
"""A like after an impression of the same item to the same user is the impression's for so long."""

USED = Question(
    ["search_shown", "search_acted", "item_liked"],
    f"""
    WITH shown AS (
        SELECT search_id, event_id, subject, simulated, experiment, "group", ranker, ranker_version, shown_at,
               unnest(from_json(impressions, '{IMPRESSION}')).item_id AS item_id
        FROM search_shown WHERE {BETWEEN}
    ), clicked AS (
        SELECT DISTINCT search_id, item_id FROM search_acted WHERE action = 'click' AND event_time >= $since
    ), looked AS (
        SELECT DISTINCT search_id, item_id FROM search_acted WHERE action = 'long_view' AND event_time >= $since
    ), liked AS (
        SELECT DISTINCT shown.search_id, shown.item_id
        FROM shown JOIN item_liked ON item_liked.user_id = shown.subject AND item_liked.item_id = shown.item_id
         AND item_liked.liked AND item_liked.event_time >= shown.shown_at
         AND item_liked.event_time < shown.shown_at + {LIKED_WITHIN}
    ), units AS (
        SELECT simulated, experiment, "group", ranker, ranker_version, coalesce(subject, shown.search_id) AS unit,
               count(DISTINCT event_id) AS pages, count(DISTINCT shown.search_id) AS searches,
               count(*) AS impressions, count(clicked.item_id) AS clicks, count(looked.item_id) AS long_views,
               count(liked.item_id) AS likes
        FROM shown
        LEFT JOIN clicked ON clicked.search_id = shown.search_id AND clicked.item_id = shown.item_id
        LEFT JOIN looked ON looked.search_id = shown.search_id AND looked.item_id = shown.item_id
        LEFT JOIN liked ON liked.search_id = shown.search_id AND liked.item_id = shown.item_id
        GROUP BY ALL
    )
    SELECT simulated, experiment, "group", ranker, ranker_version, count(*) AS units,
           sum(pages)::BIGINT AS pages, sum(searches)::BIGINT AS searches, sum(impressions)::BIGINT AS impressions,
           sum(clicks)::BIGINT AS clicks, sum(long_views)::BIGINT AS long_views, sum(likes)::BIGINT AS likes,
           sum(clicks ** 2)::DOUBLE AS clicks_squared, sum(impressions ** 2)::DOUBLE AS impressions_squared,
           sum(clicks * impressions)::DOUBLE AS products
    FROM units GROUP BY ALL ORDER BY experiment, "group", simulated, ranker, ranker_version
    """,  # noqa: S608
)

SEARCHED = Question(
    ["search_shown"],
    f"""
    SELECT mode, simulated, count(DISTINCT search_id) AS searches, count(*) AS pages,
           count(*) FILTER (coalesce(json_array_length(impressions), 0) = 0) AS pages_without_results
    FROM search_shown WHERE {BETWEEN} GROUP BY ALL ORDER BY mode, simulated
    """,  # noqa: S608
)

NOTICED = Question(
    ["item_screened"],
    f"""
    SELECT count(*) AS screened, count(*) FILTER (json_type(attributes) = 'OBJECT') AS noticed
    FROM item_screened WHERE {BETWEEN}
    """,  # noqa: S608
)

NAMED = Question(
    ["search_shown", "search_acted"],
    f"""
    WITH shown AS (
        SELECT search_id, subject, unnest(from_json(impressions, '{IMPRESSION}')).item_id AS item_id
        FROM search_shown WHERE {BETWEEN} AND len(attributes) > 0
    ), clicked AS (
        SELECT DISTINCT search_id, item_id FROM search_acted WHERE action = 'click' AND event_time >= $since
    ), units AS (
        SELECT coalesce(subject, shown.search_id) AS unit, count(DISTINCT shown.search_id) AS searches,
               count(*) AS impressions, count(clicked.item_id) AS clicks
        FROM shown LEFT JOIN clicked ON clicked.search_id = shown.search_id AND clicked.item_id = shown.item_id
        GROUP BY unit
    )
    SELECT count(*) AS units, coalesce(sum(searches), 0)::BIGINT AS searches,
           coalesce(sum(impressions), 0)::BIGINT AS impressions, coalesce(sum(clicks), 0)::BIGINT AS clicks,
           coalesce(sum(clicks ** 2), 0)::DOUBLE AS clicks_squared,
           coalesce(sum(impressions ** 2), 0)::DOUBLE AS impressions_squared,
           coalesce(sum(clicks * impressions), 0)::DOUBLE AS products
    FROM units
    """,  # noqa: S608
)

LIKED = Question(
    ["item_liked"],
    f"""
    SELECT count(*) FILTER (liked) AS given, count(*) FILTER (NOT liked) AS taken_back,
           count(DISTINCT user_id) AS users
    FROM item_liked WHERE {BETWEEN}
    """,  # noqa: S608
)

SUGGESTED = Question(
    ["item_registered"],
    f"""
    SELECT shown.model AS model, shown.field AS field, count(*) AS offered, count(*) FILTER (shown.taken) AS taken
    FROM (
        SELECT unnest(from_json(suggestions, '[{{"field": "VARCHAR", "taken": "BOOLEAN", "model": "VARCHAR"}}]'))
               AS shown
        FROM item_registered WHERE {BETWEEN}
    ) GROUP BY ALL ORDER BY model, field
    """,  # noqa: S608
)

PREDICTED = Question(
    ["predictions"],
    """
    WITH once AS (
        SELECT * FROM predictions WHERE answered_at >= $since AND answered_at < $until
        QUALIFY row_number() OVER (PARTITION BY prediction_id ORDER BY answered_at, segment_id) = 1
    )
    SELECT model, version, served_by, count(*) AS predictions, count(*) FILTER (reason = 'cached') AS cached,
           count(*) FILTER (shadow_of IS NOT NULL) AS shadowed, count(*) FILTER (simulated) AS simulated,
           quantile_cont(ms, 0.5) AS p50_ms, quantile_cont(ms, 0.95) AS p95_ms,
           min(answered_at) AS first_at, max(answered_at) AS last_at
    FROM once GROUP BY ALL ORDER BY model, version, served_by
    """,
)


class Asked(BaseModel):
    """Whatever a figure is about, models may be named."""

    model_config = ConfigDict(protected_namespaces=())


class Share(BaseModel):
    """A rate with its interval of 95 %."""

    rate: float
    low: float
    high: float

    @classmethod
    def of(cls, rate: Rate) -> "Share":
        """As it is told."""
        return cls(rate=rate.rate, low=rate.low, high=rate.high)


class Group(BaseModel):
    """What the users of a group did with what they were shown."""

    simulated: bool
    experiment: str | None
    group: str | None
    ranker: str
    ranker_version: str | None
    users: int = Field(description="Of users who were not signed in, each search counts as one.")
    searches: int
    pages: int
    impressions: int
    clicks: int
    long_views: int
    likes: int = Field(description="Given within a day after an impression.")
    ctr: Share = Field(description="Clicked of shown.")


class Difference(BaseModel):
    """Two groups of an experiment."""

    experiment: str
    simulated: bool
    one: str
    other: str
    ctr: Share = Field(description="How much higher the other's rate is.")
    verdict: Verdict


class Searches(BaseModel):
    """Searches in one mode."""

    mode: str
    simulated: bool
    searches: int
    pages: int
    pages_without_results: int


class Noticed(BaseModel):
    """What the detector noticed, and searches that ask for it."""

    screened: int
    noticed: int
    share: Share = Field(description="Screened revisions that have attributes.")
    searches: int = Field(description="That name an attribute.")
    impressions: int
    clicks: int
    ctr: Share = Field(description="Clicked of shown, in those searches.")


class Likes(BaseModel):
    """Likes of items."""

    given: int
    taken_back: int
    users: int


class Suggestions(Asked):
    """What a model suggested for a field of the form, and what was taken."""

    model: str
    field: str
    offered: int
    taken: int
    acceptance: Share


class Predictions(Asked):
    """What a version of a model answered."""

    model: str
    version: str
    served_by: str
    predictions: int
    cached: int
    shadowed: int
    simulated: int
    p50_ms: float
    p95_ms: float
    first_at: datetime
    last_at: datetime


class Reviewed(Asked):
    """A version of a model, held against what moderators said of the items it judged."""

    model: str
    version: str
    labels: int = Field(description="Decisions that say something of this model: fine, or one of its violations.")
    found: int
    false_positives: int = Field(description="It suspected a violation; a moderator published the item.")
    false_negatives: int = Field(description="It suspected nothing; a moderator named one of its violations.")
    let_pass: int


class Figures(BaseModel):
    """Everything, of a time."""

    since: datetime
    until: datetime
    groups: list[Group]
    differences: list[Difference]
    searches: list[Searches]
    likes: Likes
    attributes: Noticed
    suggestions: list[Suggestions]
    predictions: list[Predictions]
    reviewed: list[Reviewed]


def groups(rows: Rows) -> list[Group]:
    """Each with its rate."""
    return [Group(**_named(row), users=row["units"], ctr=Share.of(_sums([row]).interval())) for row in rows]


def differences(rows: Rows) -> list[Difference]:
    """Every two groups of an experiment; rankers of different versions in a group are one group."""

    def key(row: Mapping[str, Any]) -> tuple[str, bool, str]:
        return row["experiment"], row["simulated"], row["group"]

    in_one = sorted((row for row in rows if row["experiment"] and row["group"]), key=key)
    sums = {name: _sums(several) for name, several in groupby(in_one, key)}
    found = []
    for (experiment, simulated, one), (again, alike, other) in combinations(sums, 2):
        if (experiment, simulated) == (again, alike):
            between, verdict = difference(sums[experiment, simulated, one], sums[experiment, simulated, other])
            ctr = Share.of(between)
            found.append(
                Difference(experiment=experiment, simulated=simulated, one=one, other=other, ctr=ctr, verdict=verdict)
            )
    return found


def noticed(judged: Rows, named: Rows) -> Noticed:
    """Both with their rates."""
    counts = {name: named[0][name] for name in ("searches", "impressions", "clicks")}
    share = Share.of(wilson(judged[0]["noticed"], judged[0]["screened"]))
    return Noticed(**judged[0], **counts, share=share, ctr=Share.of(_sums(named).interval()))


def suggestions(rows: Rows) -> list[Suggestions]:
    """Each with its rate."""
    return [Suggestions(**row, acceptance=Share.of(wilson(row["taken"], row["offered"]))) for row in rows]


def _named(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in row if name in Group.model_fields}


def _sums(rows: Iterable[Mapping[str, Any]]) -> Sums:
    several = list(rows)
    names = ("units", "clicks", "impressions", "clicks_squared", "impressions_squared", "products")
    return Sums(*(sum(row[name] for row in several) for name in names))
