"""A platform in memory: searches, counts and logs as the real one does, to try a pipeline or the loop in seconds.

What the ranker sees comes from the same function as everywhere, and is logged as it was.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from models.for_you.features import Asked as AskedForYou
from models.for_you.features import Choosable, Chosen
from models.for_you.features import features as features_for_you
from models.labels import CATEGORIES
from models.search_ranking.features import GRADES, Asked, Candidate, Use, User, examined, features, told, traits
from pipelines.simulate.acting import Answer
from pipelines.simulate.world import Person, Shown, Wish, World

START = datetime(2026, 1, 1, tzinfo=UTC)
TITLES = ("{}の写真", "今日の{}", "A {}", "Today's {}")
Scores = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""A ranker: from features to what each result is worth."""

Choices = Callable[[dict[str, NDArray[Any]]], NDArray[np.float32]]
"""What chooses for somebody: from its inputs to a score for each candidate."""

COLUMNS: dict[str, dict[str, str]] = {
    "impressions": {
        "search_id": "VARCHAR", "subject": "VARCHAR", "simulated": "BOOLEAN", "mode": "VARCHAR", "query": "VARCHAR",
        "category": "VARCHAR", "experiment": "VARCHAR", "group": "VARCHAR", "ranker": "VARCHAR",
        "ranker_version": "VARCHAR", "item_id": "VARCHAR", "position": "BIGINT", "default_position": "BIGINT",
        "score": "DOUBLE", "features": "JSON", "shown_at": "TIMESTAMP",
    },
    "actions": {
        "search_id": "VARCHAR", "subject": "VARCHAR", "simulated": "BOOLEAN", "item_id": "VARCHAR",
        "position": "BIGINT", "action": "VARCHAR", "seconds": "DOUBLE", "group": "VARCHAR", "acted_at": "TIMESTAMP",
    },
    "likes": {"user_id": "VARCHAR", "item_id": "VARCHAR", "liked": "BOOLEAN", "at": "TIMESTAMP"},
    "items": {"item_id": "VARCHAR", "owner_id": "VARCHAR", "category": "VARCHAR", "title": "VARCHAR",
              "published_at": "TIMESTAMP"},
}  # fmt: skip
"""As the warehouse's snapshots have them, as far as pipelines look at them."""


@dataclass
class Known:
    """What is known of somebody."""

    looked: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    clicked: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    items: dict[str, int] = field(default_factory=dict)


@dataclass
class MemoryPlatform:
    """Items made up, in the order in which a common word finds them; `share` of the people get the ranker."""

    world: World
    count: int = 400
    share: float = 0.5
    ranker: Scores | None = None
    chooser: Choices | None = None
    simulated: bool = True
    tables: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {name: [] for name in COLUMNS})
    minutes: int = 0

    def __post_init__(self) -> None:
        self.documents = [self._document(number) for number in range(self.count)]
        self.known: dict[int, Known] = defaultdict(Known)
        self.use: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
        self.likes: dict[str, int] = defaultdict(int)

    async def search(self, wish: Wish, limit: int) -> Answer:
        """A page of what has the category asked for, or every third item of all for a word of any."""
        self.minutes += 1
        found = self._found(wish)[:limit]
        rows = features(self._asked(wish, found))
        group = "ranker" if self._share(wish.person, "ranking") < self.share else "default"
        ranks = self.ranker is not None and group == "ranker"
        scores = self.ranker(rows) if self.ranker and ranks else np.zeros(len(found), np.float32)
        order = [int(place) for place in np.argsort(-scores.ravel(), kind="stable")]
        answer = Answer(
            str(UUID(int=self.minutes)),
            [replace(found[place], likes=self.likes[found[place].item_id]) for place in order],
            "search_ranking" if ranks else "default", "1" if ranks else None, group,
        )  # fmt: skip
        mode = "text" if wish.query else "category"
        self._shown(wish, answer, mode, order, [told(rows[place]) for place in order])
        return answer

    async def for_you(self, person: Person, limit: int) -> Answer:
        """What is popular and new to somebody, or what the chooser makes of it."""
        self.minutes += 1
        seen = self.known[person.number].items
        fresh = [one for one in self.documents if one.item_id not in seen]
        fresh = sorted(fresh, key=lambda one: -self.use[one.item_id][1] - 2 * self.use[one.item_id][2])[:200]
        group = "ranker" if self._share(person, "for you") < self.share else "default"
        chooses = self.chooser is not None and group == "ranker" and bool(seen)
        order = list(range(len(fresh)))
        if self.chooser and chooses:
            scores = self.chooser(features_for_you(self._choices(seen, fresh)))[0, : len(fresh)]
            order = [int(place) for place in np.argsort(-scores, kind="stable")]
        chosen = order[:limit]
        answer = Answer(
            str(UUID(int=self.minutes)), [fresh[place] for place in chosen], "for_you" if chooses else "default",
            group=group,
        )  # fmt: skip
        self._shown(Wish(person), answer, "for_you", chosen, [{} for _ in chosen])
        return answer

    async def click(self, person: Person, answer: Answer, position: int) -> None:
        """Count it, and log it."""
        shown = answer.results[position - 1]
        self.use[shown.item_id][1] += 1
        for trait in traits(shown.title, shown.category):
            self.known[person.number].clicked[trait] += 1
        self._acted(person, answer, position, "click")

    async def long_view(self, person: Person, answer: Answer, position: int, seconds: float) -> None:
        """Count it, and log it."""
        self.use[answer.results[position - 1].item_id][2] += 1
        self._acted(person, answer, position, "long_view")

    async def like(self, person: Person, item_id: str) -> None:
        """Count it, and log it."""
        self.likes[item_id] += 1
        self.known[person.number].items[item_id] = GRADES["like"]
        at = self._now() + timedelta(seconds=30)
        self.tables["likes"].append({"user_id": _subject(person), "item_id": item_id, "liked": True, "at": at})

    def write(self, folder: Path) -> None:
        """The log as a snapshot of the warehouse."""
        import duckdb

        folder.mkdir(parents=True, exist_ok=True)
        items = [
            {"item_id": one.item_id, "owner_id": None, "category": one.category, "title": one.title,
             "published_at": START} for one in self.documents
        ]  # fmt: skip
        for name, rows in (self.tables | {"items": items}).items():
            lines = folder / f"{name}.jsonl"
            lines.write_text("".join(json.dumps(row, default=_plain) + "\n" for row in rows), "utf-8")
            form = ", ".join(f"'{column}': '{kind}'" for column, kind in COLUMNS[name].items())
            source = f"read_json('{lines}', columns={{{form}}}, format='newline_delimited')"
            with duckdb.connect(":memory:") as connection:
                connection.execute(f"COPY (SELECT * FROM {source}) TO '{folder / name}.parquet' (FORMAT parquet)")  # noqa: S608
            lines.unlink()

    def _document(self, number: int) -> Shown:
        label = CATEGORIES[number % len(CATEGORIES)]
        title = TITLES[number // len(CATEGORIES) % len(TITLES)]
        item_id = str(UUID(int=int(self.world.dice("id", number).integers(2**62))))
        spelt = title.format(label.ja if "の" in title else label.en)
        return Shown(item_id, spelt, label.name, published=float(-number))

    def _found(self, wish: Wish) -> list[Shown]:
        said = {label.ja: label.name for label in CATEGORIES} | {label.en: label.name for label in CATEGORIES}
        wanted = {said[word] for word in wish.query.split() if word in said} | ({wish.category} - {""})
        if wanted:
            return [one for one in self.documents if one.category in wanted]
        start = sum(map(ord, wish.query)) % 3
        return self.documents[start::3]

    def _asked(self, wish: Wish, found: Sequence[Shown]) -> Asked:
        known = self.known[wish.person.number]
        candidates = [
            Candidate(
                title=one.title, category=one.category, likes=self.likes[one.item_id], age_hours=float(at + 1),
                fit=0.5 if wish.query else None, known=known.items.get(one.item_id, 0), use=Use(*self.use[one.item_id]),
            )
            for at, one in enumerate(found)
        ]  # fmt: skip
        return Asked(candidates, wish.query, wish.category or None, User(dict(known.looked), dict(known.clicked)))

    def _choices(self, seen: dict[str, int], fresh: Sequence[Shown]) -> AskedForYou:
        category = {one.item_id: one.category for one in self.documents}
        last = list(reversed(seen.items()))
        history = [Chosen(UUID(item), category[item], grade) for item, grade in last]
        return AskedForYou([Choosable(UUID(one.item_id), one.category) for one in fresh], history)

    def _share(self, person: Person, experiment: str) -> float:
        return float(self.world.dice("group", experiment, person.number).random())

    def _shown(
        self, wish: Wish, answer: Answer, mode: str, order: Sequence[int], rows: Sequence[dict[str, float]]
    ) -> None:
        known = self.known[wish.person.number]
        for position, (shown, place, row) in enumerate(zip(answer.results, order, rows, strict=True), 1):
            self.use[shown.item_id][0] += examined(position)
            for trait in traits(shown.title, shown.category):
                known.looked[trait] += examined(position)
            self.tables["impressions"].append(
                {
                    "search_id": answer.search_id, "subject": _subject(wish.person), "simulated": self.simulated,
                    "mode": mode, "query": wish.query, "category": wish.category or None, "experiment": "ranking",
                    "group": answer.group, "ranker": answer.ranker, "ranker_version": answer.version,
                    "item_id": shown.item_id, "position": position, "default_position": place + 1, "score": None,
                    "features": row, "shown_at": self._now(),
                }
            )  # fmt: skip

    def _acted(self, person: Person, answer: Answer, position: int, action: str) -> None:
        item_id = answer.results[position - 1].item_id
        items = self.known[person.number].items
        items[item_id] = max(items.pop(item_id, 0), GRADES[action])
        self.tables["actions"].append(
            {
                "search_id": answer.search_id, "subject": _subject(person), "simulated": self.simulated,
                "item_id": item_id, "position": position, "action": action, "seconds": None, "group": answer.group,
                "acted_at": self._now(),
            }
        )  # fmt: skip

    def _now(self) -> datetime:
        return START + timedelta(minutes=self.minutes)


def _subject(person: Person) -> str:
    return str(UUID(int=2**64 + person.number))


def _plain(value: Any) -> str:
    assert isinstance(value, datetime)
    return value.replace(tzinfo=None).isoformat()
