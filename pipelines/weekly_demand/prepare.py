"""Put the history together: weeks that were generated, then those that really happened.

dvc repro pipelines/weekly_demand/dvc.yaml:prepare
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from models.weekly_demand.generated import generated
from models.weekly_demand.weeks import WEEK, Count, before, week_of
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
    """So many weeks up to the last that happened. What happened counts; what came before that is generated."""
    real = {count.week for count in happened}
    end = max(real) + WEEK if real else week_of(params.ends)
    weeks = before(end, params.weeks)
    made = generated(week for week in weeks if week not in real)
    kept = [count for count in happened if count.week in set(weeks)]
    return sorted([*made, *kept], key=lambda count: (count.week, count.series, count.category))


if __name__ == "__main__":
    main()
