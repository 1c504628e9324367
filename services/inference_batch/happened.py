"""What really happened, week by week, as the warehouse has it; a platform without one has only generated weeks."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime

import httpx
from pydantic import BaseModel, Field

from models.weekly_demand.weeks import NAMES, SERIES, Count

Happened = Callable[[datetime], Awaitable[Sequence[Count]]]
"""Every whole week that was over at that moment, from the platform's first whole one on."""

ASKING_SECONDS = 20.0


class Counted(BaseModel):
    """One week of one series in one category."""

    week: date
    series: str
    category: str
    count: int = Field(ge=0)


class Demand(BaseModel):
    """The warehouse's answer."""

    weeks: list[Counted]


async def nothing(until: datetime) -> Sequence[Count]:
    """Without a warehouse nothing is known to have happened."""
    return []


def from_warehouse(http: httpx.AsyncClient, address: str | None) -> Happened:
    """Asks `GET /api/warehouse/demand?until=`; raises httpx.HTTPError while the warehouse does not answer."""
    if not address:
        return nothing

    async def asked(until: datetime) -> Sequence[Count]:
        url = f"{address.rstrip('/')}/api/warehouse/demand"
        answer = await http.get(url, params={"until": until.isoformat()}, timeout=ASKING_SECONDS)
        found = Demand.model_validate_json(answer.raise_for_status().content)
        return [
            Count(one.week, one.series, one.category, one.count, simulated=False)
            for one in found.weeks
            if one.series in SERIES and one.category in NAMES
        ]

    return asked
