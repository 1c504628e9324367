"""Put the history together: weeks that were generated, then those that really happened.

dvc repro pipelines/weekly_demand/dvc.yaml:prepare
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from models.weekly_demand.past import past
from models.weekly_demand.weeks import WEEK, Count, week_of
from pipelines.parameters import load
from pipelines.weekly_demand.snapshot import HAPPENED
from pipelines.weekly_demand.table import PREPARED, read, write


@dataclass(frozen=True)
class Params:
    weeks: int
    ends: date


def main() -> None:
    params = load(Params, "pipelines/weekly_demand/params.yaml", "prepare")
    happened = read(HAPPENED)
    counts = joined(happened, params)
    write(PREPARED, counts)
    real = len({count.week for count in counts if not count.simulated})
    print(f"{len({count.week for count in counts})} weeks, {real} of them really happened")


def joined(happened: Sequence[Count], params: Params) -> list[Count]:
    """So many weeks up to the last that happened, or up to where nothing has yet."""
    end = max((count.week + WEEK for count in happened), default=week_of(params.ends))
    return past(happened, end, params.weeks)


if __name__ == "__main__":
    main()
