"""The history as a file, and as examples: of every week what was known before it, and what it brought."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.weekly_demand.features import HISTORY, encode, raw
from models.weekly_demand.weeks import NAMES, SERIES, Count, Known, history, table

PREPARED = Path("data/weekly_demand/prepared/weeks.csv")
TRAINED = Path("data/weekly_demand/trained")
COLUMNS = ("week", "series", "category", "count", "simulated")

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Example:
    """One week of one series in one category. `asked` is what was known before it began."""

    week: date
    series: str
    category: str
    asked: bytes
    count: int
    year_ago: int
    last_week: int
    simulated: bool


def write(path: Path, counts: Iterable[Count]) -> None:
    """A CSV file with a header."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows((one.week, one.series, one.category, one.count, int(one.simulated)) for one in counts)


def read(path: Path) -> list[Count]:
    """What `write` wrote."""
    with path.open(encoding="utf-8", newline="") as file:
        return [
            Count(
                date.fromisoformat(row["week"]),
                row["series"],
                row["category"],
                int(row["count"]),
                bool(int(row["simulated"])),
            )
            for row in csv.DictReader(file)
        ]


def examples(counts: Sequence[Count]) -> list[Example]:
    """Every week that has enough weeks before it; the order is that of time."""
    known = table(counts)
    weeks = sorted({count.week for count in counts})
    return list(_examples(known, weeks[HISTORY:]))


def _examples(known: Known, weeks: Sequence[date]) -> Iterator[Example]:
    for week in weeks:
        for series in SERIES:
            for category in NAMES:
                past = history(known, series, category, week, HISTORY)
                counts = [one.count for one in past]
                now = known[series, category, week]
                asked = raw(series, category, week, counts)
                yield Example(week, series, category, asked, now.count, counts[-52], counts[-1], now.simulated)


@dataclass(frozen=True)
class Parts:
    """Examples dealt by time: what comes later is never learnt from."""

    train: list[Example]
    calibration: list[Example]
    test: list[Example]


def dealt(found: Sequence[Example], calibration_weeks: int, test_weeks: int) -> Parts:
    """The last weeks are the test, those before it the calibration."""
    weeks = sorted({example.week for example in found})
    first_test, first_calibration = weeks[-test_weeks], weeks[-test_weeks - calibration_weeks]
    return Parts(
        [one for one in found if one.week < first_calibration],
        [one for one in found if first_calibration <= one.week < first_test],
        [one for one in found if one.week >= first_test],
    )


def features(found: Sequence[Example]) -> NDArray[np.float32]:
    """The served features, a row each."""
    return np.concatenate([encode(one.asked)["features"] for one in found])


def truth(found: Sequence[Example]) -> Floats:
    """What the weeks brought."""
    return np.array([one.count for one in found], np.float64)
