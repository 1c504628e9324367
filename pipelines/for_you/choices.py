"""The log as choices: who was shown what where, in the order of time, and what they chose and when."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from models.for_you.features import OTHER, category_number, number
from pipelines.artefact import read_arrays, save
from pipelines.interactions.log import Impression, Item, Log
from pipelines.interactions.ranker import Ranker

FOR_YOU = Ranker("for_you")
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Choices:
    """One row an impression; users and items by their places below."""

    user: Ints
    item: Ints
    search: Ints
    position: Ints
    default_position: Ints
    grade: Ints
    shown_at: Floats  # when the search began: all its pages lie on one side of a cut
    done_at: Floats  # when the grade was given
    unasked: NDArray[np.bool_]  # shown without a question
    users: NDArray[np.str_]
    ids: NDArray[np.str_]
    numbers: Ints
    categories: Ints

    def part(self, rows: NDArray[Any]) -> "Choices":
        """Some of the rows; users and items stay."""
        cut = {name: getattr(self, name)[rows] for name in ROWS}
        return Choices(**cut, users=self.users, ids=self.ids, numbers=self.numbers, categories=self.categories)

    def chosen_before(self, user: int, moment: float, most: int) -> list[tuple[int, int]]:
        """Items and grades as they were known at a moment, the last first, each item once."""
        rows = np.flatnonzero((self.user == user) & (self.grade > 0) & (self.done_at < moment))
        best: dict[int, int] = {}
        for row in reversed(rows[np.argsort(self.done_at[rows], kind="stable")]):
            item = int(self.item[row])
            best[item] = max(best.get(item, 0), int(self.grade[row]))
        return list(best.items())[:most]


ROWS = ("user", "item", "search", "position", "default_position", "grade", "shown_at", "done_at", "unasked")
UNASKED = ("for_you", "newest")


def choices(log: Log) -> Choices:
    """Of everybody who is signed in, of items that were published."""
    rows = [one for one in log.impressions if one.subject and one.item_id in log.items]
    users, searches = _places([one.subject for one in rows]), _places([one.search_id for one in rows])
    shown = sorted({one.item_id for one in rows})
    items = {item_id: at for at, item_id in enumerate(shown)}
    return Choices(
        user=np.array([users[one.subject] for one in rows], np.int64),
        item=np.array([items[one.item_id] for one in rows], np.int64),
        search=np.array([searches[one.search_id] for one in rows], np.int64),
        position=np.array([one.position for one in rows], np.int64),
        default_position=np.array([one.default_position for one in rows], np.int64),
        grade=np.array([one.grade for one in rows], np.int64),
        shown_at=_begun(rows),
        done_at=np.array([one.done_at for one in rows], np.float64),
        unasked=np.array([one.mode in UNASKED for one in rows], bool),
        users=np.array(list(users)),
        ids=np.array(shown),
        numbers=np.array([number(UUID(item_id)) for item_id in shown], np.int64),
        categories=np.array([category_of(log.items[item_id]) for item_id in shown], np.int64),
    )


def category_of(item: Item) -> int:
    """Its number, as serving makes it."""
    return category_number(item.category) if item.category else OTHER


def _begun(rows: Sequence[Impression]) -> Floats:
    begun: dict[str, float] = {}
    for one in rows:
        begun[one.search_id] = min(one.shown_at, begun.get(one.search_id, one.shown_at))
    return np.array([begun[one.search_id] for one in rows], np.float64)


def _places(names: Sequence[str]) -> dict[str, int]:
    return {name: at for at, name in enumerate(dict.fromkeys(names))}


def cuts(found: Choices, validation: float, test: float) -> tuple[float, float]:
    """The moments at which the searches to weigh by begin, and those to judge by."""
    begun = np.sort(found.shown_at[np.unique(found.search, return_index=True)[1]])
    places = (round(len(begun) * (1 - validation - test)), round(len(begun) * (1 - test)))
    first, second = (float(begun[min(place, len(begun) - 1)]) for place in places)
    return first, second


def known_at(found: Choices, moment: float) -> Choices:
    """What was over before a moment: searches that began earlier, without choices that were made later."""
    return found.part((found.shown_at < moment) & (found.done_at < moment))


def between(found: Choices, since: float, until: float = np.inf) -> Choices:
    """Searches that began in a time."""
    return found.part((found.shown_at >= since) & (found.shown_at < until))


def write(path: Path, found: Choices) -> None:
    """As arrays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    save(path, {field.name: getattr(found, field.name) for field in fields(Choices)})


def read(path: Path) -> Choices:
    """What `write` wrote."""
    return Choices(**read_arrays(path))
