"""Fetch the whole weeks that really happened, as far as they are known.

dvc repro pipelines/weekly_demand/dvc.yaml:snapshot
"""

from pathlib import Path

from models.weekly_demand.weeks import Count
from pipelines.weekly_demand.table import write

HAPPENED = Path("data/weekly_demand/snapshot/weeks.csv")


def main() -> None:
    counts = happened()
    write(HAPPENED, counts)
    print(f"{len({count.week for count in counts})} weeks really happened")


def happened() -> list[Count]:
    """Every week that is over, from the first whole one on."""
    return []


if __name__ == "__main__":
    main()
