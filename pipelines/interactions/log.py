"""The log of use, put together: every impression with what became of it, and whose log it is.

A click and a long view belong to the search they were made in, a like to the last impression of that item to
that user, if it is less than a day old. Nothing here looks at what came after the snapshot's moment.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from models.search_ranking.features import GRADES
from pipelines import warehouse

TABLES = ("actions", "impressions", "items", "likes")
LIKED_WITHIN = timedelta(days=1)
Rows = Iterable[Mapping[str, Any]]
Whose = Literal["people", "programs"]
Done = dict[tuple[str, str], tuple[int, float]]
"""The best that was done with a result of a search, and when."""


@dataclass(frozen=True)
class Impression:
    """One result that was shown, and the best thing that was done with it."""

    search_id: str
    subject: str
    simulated: bool
    mode: str
    group: str
    ranker: str
    item_id: str
    position: int
    default_position: int
    features: str
    shown_at: float
    grade: int
    done_at: float = 0.0
    """When the grade was given: before, nobody knew it."""


@dataclass(frozen=True)
class Item:
    """An item that was ever published."""

    item_id: str
    category: str | None
    published_at: float


@dataclass(frozen=True)
class Log:
    """Impressions in the order of time, and the items there were."""

    impressions: list[Impression]
    items: dict[str, Item]

    @property
    def clicks(self) -> int:
        """Impressions that were clicked."""
        return sum(one.grade > 0 for one in self.impressions)

    def of(self, whose: Whose) -> "Log":
        """What people did, or what programs did that play users."""
        simulated = whose == "programs"
        return Log([one for one in self.impressions if one.simulated == simulated], self.items)


def read(folder: Path) -> Log:
    """The log of a snapshot."""
    tables = {name: list(warehouse.rows(folder / f"{name}.parquet")) for name in TABLES}
    return joined(tables["impressions"], tables["actions"], tables["likes"], tables["items"])


def joined(impressions: Rows, actions: Rows, likes: Rows, items: Rows) -> Log:
    """Every impression with its grade."""
    shown = sorted(impressions, key=lambda row: (seconds(row["shown_at"]), str(row["search_id"]), row["position"]))
    done = _best(actions) | _liked(shown, likes)
    known = [Item(str(row["item_id"]), row["category"], seconds(row["published_at"])) for row in items]
    return Log([_impression(row, done) for row in shown], {item.item_id: item for item in known})


def _best(actions: Rows) -> Done:
    best: Done = {}
    for row in sorted(actions, key=lambda row: seconds(row["acted_at"])):
        key, grade = (str(row["search_id"]), str(row["item_id"])), GRADES[row["action"]]
        if key not in best or grade > best[key][0]:
            best[key] = (grade, seconds(row["acted_at"]))
    return best


def _liked(shown: Rows, likes: Rows) -> Done:
    """In which search what was seen that was liked then, without what was taken back."""
    seen: dict[tuple[str, str], list[tuple[float, str]]] = defaultdict(list)
    for row in shown:
        seen[str(row["subject"]), str(row["item_id"])].append((seconds(row["shown_at"]), str(row["search_id"])))
    found: dict[tuple[str, str], tuple[str | None, float]] = {}
    for row in sorted(likes, key=lambda row: seconds(row["at"])):
        key, at = (str(row["user_id"]), str(row["item_id"])), seconds(row["at"])
        found[key] = (_last(seen.get(key, ()), at) if row["liked"] else None, at)
    return {(search, item): (GRADES["like"], at) for (_, item), (search, at) in found.items() if search}


def _last(seen: Sequence[tuple[float, str]], at: float) -> str | None:
    """The last search before that moment, unless it is too long ago."""
    before = bisect_right(seen, (at, "~")) - 1
    if before < 0 or at - seen[before][0] > LIKED_WITHIN.total_seconds():
        return None
    return seen[before][1]


def _impression(row: Mapping[str, Any], done: Done) -> Impression:
    search, item = str(row["search_id"]), str(row["item_id"])
    grade, done_at = done.get((search, item), (0, 0.0))
    return Impression(
        search_id=search,
        subject=str(row["subject"] or ""),
        simulated=bool(row["simulated"]),
        mode=row["mode"],
        group=row["group"] or "",
        ranker=row["ranker"],
        item_id=item,
        position=int(row["position"]),
        default_position=int(row["default_position"]),
        features=row["features"] or "{}",
        shown_at=seconds(row["shown_at"]),
        grade=grade,
        done_at=done_at,
    )


def seconds(moment: datetime | str) -> float:
    """A moment of the warehouse as seconds; what has no zone is UTC."""
    at = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


@dataclass(frozen=True)
class Enough:
    """How much there must be before a model is worth more than the default order."""

    impressions: int
    clicks: int

    def of(self, log: Log) -> bool:
        """Whether there is so much."""
        return len(log.impressions) >= self.impressions and log.clicks >= self.clicks


def whose(log: Log, enough: Enough) -> tuple[Whose, Log] | str:
    """The log to learn from, or why there is none: people's as soon as it is enough, until then that of programs.

    The two are never mixed: what programs like is what their author thought of.
    """
    found: tuple[Whose, ...] = ("people", "programs")
    counts = []
    for kind in found:
        part = log.of(kind)
        if enough.of(part):
            return kind, part
        counts.append(f"{len(part.impressions)} impressions and {part.clicks} clicks of {kind}")
    return f"{' and '.join(counts)}; {enough.impressions} and {enough.clicks} of one kind are needed"
