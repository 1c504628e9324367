"""How good orders are by the hidden truth, and what people did with them; all intervals by drawing whole people again.

What stands in `ORDERS` is computed from the very page that was served: the order it had, the order search finds in,
the most liked first, and the best there is. So a difference between the first and the others is the ranker's work.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipelines.evaluation import Interval
from pipelines.interactions.ordering import Floats, by_user, dcg
from pipelines.simulate.acting import Seen
from pipelines.simulate.world import Shown, World

REPEATS = 2000
ByPerson = Mapping[int, float]
Order = Callable[[Sequence[Shown], Floats], Floats]
"""From results and what each is worth to somebody to scores: the higher, the further up."""

ORDERS: dict[str, Order] = {
    "served": lambda results, worth: -np.arange(len(results), dtype=np.float64),
    "default": lambda results, worth: _ranks([(-(one.fit or 0.0), -one.published) for one in results]),
    "most liked": lambda results, worth: np.array([one.likes for one in results], np.float64),
    "oracle": lambda results, worth: worth,
}


def _ranks(keys: Sequence[tuple[float, float]]) -> Floats:
    """The smallest key first."""
    scores = np.empty(len(keys))
    scores[sorted(range(len(keys)), key=lambda at: keys[at])] = -np.arange(len(keys), dtype=np.float64)
    return scores


def ndcg(world: World, seen: Seen, order: Order) -> float | None:
    """NDCG@10 of a page by the truth; nothing where there was nothing to choose between."""
    results = seen.answer.results
    if len(results) < 2:
        return None
    worth = np.array([world.worth(seen.wish.person, one) for one in results])
    return dcg(worth, order(results, worth)) / dcg(worth, worth)


def of_all(world: World, seen: Seen, catalogue: Iterable[Shown], k: int = 10) -> float | None:
    """The same of what was shown without a question: beside the best of everything that is new to somebody."""
    shown = np.array([world.worth(seen.wish.person, one) for one in seen.answer.results])
    best = np.array([world.worth(seen.wish.person, one) for one in catalogue])
    return dcg(shown, -np.arange(len(shown), dtype=np.float64), k) / dcg(best, best, k) if len(shown) else None


def by_person(rated: Iterable[tuple[Seen, float | None]]) -> dict[int, float]:
    """Everybody's mean."""
    values: dict[int, list[float]] = defaultdict(list)
    for seen, value in rated:
        if value is not None:
            values[seen.wish.person.number].append(value)
    return {person: float(np.mean(several)) for person, several in values.items()}


def mean(people: ByPerson) -> Interval:
    """Over people."""
    return by_user([str(person) for person in people], list(people.values()), [1.0] * len(people), REPEATS)


def gain(before: ByPerson, after: ByPerson) -> Interval:
    """How much higher it is after, each person beside themselves."""
    both = sorted(before.keys() & after.keys())
    return mean({person: after[person] - before[person] for person in both})


@dataclass(frozen=True)
class Rate:
    """Clicks of what was shown."""

    clicks: int
    impressions: int
    interval: Interval


def ctr(pages: Sequence[Seen]) -> Rate:
    """The rate of all pages together, with an interval over people."""
    clicks, shown = [float(one.clicks) for one in pages], [float(len(one.answer.results)) for one in pages]
    names = [str(one.wish.person.number) for one in pages]
    return Rate(int(sum(clicks)), int(sum(shown)), by_user(names, clicks, shown, REPEATS))


def ctr_gain(one: Sequence[Seen], other: Sequence[Seen]) -> Interval:
    """How much higher the rate of others is; the people of either are drawn apart."""
    rates = [_draws(pages) for pages in (one, other)]
    low, high = np.quantile(rates[1] - rates[0], [0.025, 0.975])
    return Interval(ctr(other).interval.mean - ctr(one).interval.mean, float(low), float(high))


def _draws(pages: Sequence[Seen]) -> Floats:
    people = {number: at for at, number in enumerate(dict.fromkeys(one.wish.person.number for one in pages))}
    place = np.array([people[one.wish.person.number] for one in pages])
    clicks = np.bincount(place, [one.clicks for one in pages])
    shown = np.bincount(place, [len(one.answer.results) for one in pages])
    picks = np.random.default_rng(len(people)).integers(0, len(people), (REPEATS, len(people)))
    return np.asarray(clicks[picks].sum(1) / shown[picks].sum(1))


def catalogue(pages: Iterable[Seen]) -> dict[str, Shown]:
    """Everything that anybody was shown."""
    return {one.item_id: one for page in pages for one in page.answer.results}


def of_group(pages: Sequence[Seen], group: str | None) -> list[Seen]:
    """The pages of one group of the experiment."""
    return [one for one in pages if one.answer.group == group]
