"""Fetch the whole weeks that really happened from the warehouse; a clone without a platform has none.

    dvc repro pipelines/weekly_demand/dvc.yaml:snapshot

The same answer that the weekly job gets when it forecasts: nothing is counted in another way.
"""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx

from models.weekly_demand.weeks import NAMES, SERIES, Count, begins, week_of
from pipelines.weekly_demand.table import write

HAPPENED = Path("data/weekly_demand/snapshot/weeks.csv")
PATH = "/api/warehouse/demand"
TRIES, PAUSE_SECONDS = 30, 2.0
"""A warehouse that starts, or is away for a moment, is waited for."""


def main() -> None:
    counts = happened(os.environ.get("WAREHOUSE_URL"))
    write(HAPPENED, counts)
    print(f"{len({count.week for count in counts})} weeks really happened")


def happened(address: str | None, transport: httpx.BaseTransport | None = None) -> list[Count]:
    """Every week that is over, from the first whole one on; nothing without a warehouse."""
    if not address:
        return []
    until = begins(week_of(datetime.now(UTC)))
    with httpx.Client(base_url=address, timeout=60, trust_env=False, transport=transport) as http:
        answer = patiently(lambda: http.get(PATH, params={"until": until.isoformat()}).raise_for_status())
    found = [
        Count(datetime.fromisoformat(one["week"]).date(), one["series"], one["category"], one["count"], simulated=False)
        for one in answer.json()["weeks"]
    ]
    return [one for one in found if one.series in SERIES and one.category in NAMES]


def patiently(
    ask: Callable[[], httpx.Response], tries: int = TRIES, pause: Callable[[float], None] = time.sleep
) -> httpx.Response:
    """The answer as soon as there is one; raises httpx.HTTPError when there is none for a minute."""
    for left in range(tries, 1, -1):
        try:
            return ask()
        except httpx.HTTPError as error:
            print(f"the warehouse does not answer yet, {left - 1} tries left: {error!r}", flush=True)
        pause(PAUSE_SECONDS)
    return ask()


if __name__ == "__main__":
    main()
