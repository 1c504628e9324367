"""How many items are in which state, and how long it takes until a registered item is found."""

from typing import Any

from services.chassis.database import Database
from services.items.life import State
from services.items.shown import SearchableSeconds, Seconds, Statistics

WINDOW_SECONDS = 15 * 60

_SECONDS = """
    SELECT count(*) AS count, count(*) FILTER (WHERE recent) AS recent_count,
        percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY seconds) AS seconds,
        percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY seconds) FILTER (WHERE recent) AS recent_seconds
    FROM (
        SELECT searchable_seconds AS seconds, searchable_at > now() - make_interval(secs => %s) AS recent
        FROM items WHERE searchable_seconds IS NOT NULL AND NOT decided_by_person
    ) AS found
"""

_WAITING = """
    SELECT state, count(*) AS count, extract(epoch FROM now() - min(submitted_at))::float AS seconds
    FROM items WHERE state IN ('screening', 'needs_review') GROUP BY state
"""


async def waiting(database: Database) -> dict[str, tuple[int, float]]:
    """For every state that waits for somebody: how many items, and for how long the first of them."""
    async with database.connection() as connection:
        rows = await (await connection.execute(_WAITING)).fetchall()
    nothing = {state.value: (0, 0.0) for state in (State.SCREENING, State.NEEDS_REVIEW)}
    return nothing | {row["state"]: (row["count"], row["seconds"]) for row in rows}


async def statistics(database: Database, window: int) -> Statistics:
    """Counts alone, nothing of any item. What a person decided is not the platform's time."""
    async with database.connection() as connection:
        counted = await connection.execute("SELECT state, count(*) AS count FROM items GROUP BY state")
        states = {row["state"]: row["count"] for row in await counted.fetchall()}
        found = await (await connection.execute(_SECONDS, (window,))).fetchone()
    assert found
    overall = _seconds(found["count"], found["seconds"])
    recent = _seconds(found["recent_count"], found["recent_seconds"])
    return Statistics(
        states={state: states.get(state, 0) for state in State},
        searchable_seconds=SearchableSeconds(window=window, overall=Seconds(**overall), **recent),
    )


def _seconds(count: int, percentiles: list[float] | None) -> dict[str, Any]:
    p50, p95 = percentiles or (None, None)
    return {"count": count, "p50": p50, "p95": p95}
