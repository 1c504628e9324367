"""How many items are in which state, and how long it takes until a registered item is found."""

from typing import Any

from services.chassis.database import Database
from services.items.life import State
from services.items.shown import SearchableSeconds, Seconds, Statistics

WINDOW_SECONDS = 15 * 60

_SECONDS = """
    SELECT count(*) AS count,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY searchable_seconds) AS p50,
        percentile_cont(0.95) WITHIN GROUP (ORDER BY searchable_seconds) AS p95
    FROM items
    WHERE searchable_seconds IS NOT NULL AND NOT decided_by_person
    AND (%(window)s::integer IS NULL OR searchable_at > now() - make_interval(secs => %(window)s::integer))
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
        recent = await (await connection.execute(_SECONDS, {"window": window})).fetchone()
        overall = await (await connection.execute(_SECONDS, {"window": None})).fetchone()
    return Statistics(
        states={state: states.get(state, 0) for state in State},
        searchable_seconds=SearchableSeconds(window=window, overall=Seconds(**_given(overall)), **_given(recent)),
    )


def _given(row: dict[str, Any] | None) -> dict[str, Any]:
    return row or {"count": 0, "p50": None, "p95": None}
