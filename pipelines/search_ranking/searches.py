"""Searches as examples: for each the logged features of its results, and what became of them."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.search_ranking.features import NAMES, logged
from pipelines.artefact import read_arrays, save
from pipelines.interactions.log import Impression
from pipelines.interactions.ordering import Search
from pipelines.interactions.ranker import Ranker

SEARCH_RANKING = Ranker("search_ranking")
MODES = ("text", "category", "newest")
PARTS = ("train", "validation", "test")


@dataclass(frozen=True)
class Searched:
    """A search with its features, one row a result."""

    search: Search
    group: str
    ranker: str
    features: NDArray[np.float32]
    settled_at: float = 0.0
    """When the last thing was done with it."""


def searches(impressions: Sequence[Impression]) -> list[Searched]:
    """Those that can be learnt from: with features as they were served, and something to choose between."""
    found = [one for one in impressions if one.mode in MODES]
    ordered = sorted(found, key=lambda one: (one.search_id, one.position))
    several = [list(rows) for _, rows in groupby(ordered, key=lambda one: one.search_id)]
    made = [one for rows in several if len(rows) > 1 for one in [_searched(rows)] if one]
    return sorted(made, key=lambda one: one.search.shown_at)


def _searched(rows: Sequence[Impression]) -> Searched | None:
    told: list[dict[str, float]] = [json.loads(one.features) for one in rows]
    if any(set(NAMES) - one.keys() for one in told):
        return None
    search = Search(
        subject=rows[0].subject or rows[0].search_id,  # who is not signed in is somebody else each time
        shown_at=min(one.shown_at for one in rows),
        positions=np.array([one.position for one in rows]),
        default_positions=np.array([one.default_position for one in rows]),
        grades=np.array([one.grade for one in rows]),
    )
    settled = max(search.shown_at, *(one.done_at for one in rows))
    return Searched(search, rows[0].group, rows[0].ranker, logged(told), settled)


def dealt(found: Sequence[Searched], validation: float, test: float) -> dict[str, list[Searched]]:
    """By time: what is learnt from was over, with all that was done with it, before the next part began."""
    first_test = round(len(found) * (1 - test))
    first_validation = round(len(found) * (1 - test - validation))
    cuts = (found[:first_validation], found[first_validation:first_test], found[first_test:])
    train, validation_part, test_part = (list(cut) for cut in cuts)
    parts = (_over(train, validation_part), _over(validation_part, test_part), test_part)
    return dict(zip(PARTS, parts, strict=True))


def _over(part: Sequence[Searched], following: Sequence[Searched]) -> list[Searched]:
    return [one for one in part if not following or one.settled_at < following[0].search.shown_at]


def write(path: Path, found: Sequence[Searched]) -> None:
    """As arrays; each search says how many rows are its own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    columns: dict[str, Any] = {
        name: np.concatenate([getattr(one.search, name) for one in found])
        for name in ("positions", "default_positions", "grades")
    }
    columns |= {name: np.array([getattr(one.search, name) for one in found]) for name in ("subject", "shown_at")}
    columns |= {name: np.array([getattr(one, name) for one in found]) for name in ("group", "ranker", "settled_at")}
    columns |= {"features": np.concatenate([one.features for one in found])}
    save(path, columns | {"sizes": np.array([len(one.features) for one in found])})


def read(path: Path) -> list[Searched]:
    """What `write` wrote."""
    arrays = read_arrays(path)
    return list(_read(arrays))


def _read(arrays: dict[str, NDArray[Any]]) -> Iterator[Searched]:
    ends = np.cumsum(arrays["sizes"])
    for at, (end, size) in enumerate(zip(ends, arrays["sizes"], strict=True)):
        rows = slice(end - size, end)
        values: dict[str, Any] = {field.name: arrays[field.name] for field in fields(Search)}
        search = Search(
            str(values["subject"][at]),
            float(values["shown_at"][at]),
            *(values[name][rows] for name in ("positions", "default_positions", "grades")),
        )
        group, ranker = str(arrays["group"][at]), str(arrays["ranker"][at])
        yield Searched(search, group, ranker, arrays["features"][rows], float(arrays["settled_at"][at]))
