"""What somebody may like without having asked for anything: what is popular these days, or what a model chooses.

The candidates are of four kinds: popular, newest, newest of the categories somebody clicks, and pictures
like those they chose. What they have chosen before, and what is their own, is left out. Who has chosen
nothing yet, or is not in the ranker's group, sees what is popular.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from pgvector import Vector

from models.for_you.features import CANDIDATES, HISTORY, Asked, Choosable, Chosen, features
from models.image_screening.contract import EMBEDDING_VERSION
from services.chassis.auth import Caller
from services.chassis.database import Connection, Database
from services.chassis.ids import new_id
from services.search.documents import Document, Results
from services.search.finding import COLUMNS
from services.search.profiles import RECENT, TASTE, user_of
from services.search.ranking import RANKER, Experiment, Model, Page, Ranking, as_found, best_first

POPULAR_DAYS: Final = 7
OF_A_KIND: Final = 50
FAVOURITES: Final = 3
"""So many of somebody's categories are looked at."""

FRESH: Final = """
    AND owner_id IS DISTINCT FROM %(subject)s
    AND NOT EXISTS (SELECT FROM user_items WHERE subject = %(subject)s AND user_items.item_id = visible.item_id)
"""
POPULAR: Final = f"""
WITH used AS (
    SELECT item_id, sum(clicks + 2 * long_views) AS chosen FROM item_use
    WHERE day > current_date - {POPULAR_DAYS} AND (NOT simulated OR %(simulated)s)
    GROUP BY item_id ORDER BY chosen DESC LIMIT 4 * %(most)s
)
SELECT {COLUMNS} FROM visible JOIN used USING (item_id) WHERE chosen > 0 {FRESH}
ORDER BY chosen DESC, likes DESC, published_at DESC, item_id LIMIT %(most)s
"""  # noqa: S608
NEWEST: Final = f"""
SELECT {COLUMNS} FROM visible WHERE true {FRESH} ORDER BY published_at DESC, item_id DESC LIMIT %(most)s
"""  # noqa: S608
OF_CATEGORIES: Final = f"""
SELECT {COLUMNS} FROM unnest(%(categories)s::text[]) AS favourite(name) CROSS JOIN LATERAL (
    SELECT * FROM visible WHERE category = favourite.name {FRESH}
    ORDER BY published_at DESC, item_id DESC LIMIT %(most)s / {FAVOURITES}
) visible
"""  # noqa: S608
ALIKE: Final = f"""
SELECT {COLUMNS} FROM visible WHERE embedding_version = %(version)s {FRESH}
ORDER BY embedding OPERATOR(public.<=>) %(picture)s LIMIT %(most)s
"""  # noqa: S608
PICTURE: Final = f"{TASTE} SELECT picture FROM taste"  # noqa: S608
CHOICES: Final = """
SELECT user_items.item_id, category, grade FROM user_items LEFT JOIN visible USING (item_id)
WHERE subject = %(subject)s ORDER BY at DESC LIMIT %(choices)s
"""


@dataclass(frozen=True)
class ForYou:
    """Chooses for one user at a time."""

    database: Database
    experiment: Experiment
    model: Model | None = None

    async def page(self, caller: Caller | None, limit: int) -> Page:
        """The best of what there is for this user; of somebody who is not signed in nothing is known."""
        group = self.experiment.group(caller.id if caller else None) if self.model else None
        chooses = self.model is not None and group == RANKER and not self.model.circuit.rests
        async with self.database.connection() as connection:
            history = await _history(connection, caller) if caller and chooses else []
            found = await _found(connection, caller, of_taste=bool(history))
        ranking = Ranking(as_found(found), self.experiment.name if group else None, group)
        if self.model and history:
            ranking = await _ordered(ranking, history, self.model)
        shown = replace(ranking, placed=ranking.placed[:limit])
        return Page(_results(shown), shown)


async def _ordered(ranking: Ranking, history: list[Chosen], model: Model) -> Ranking:
    placed = ranking.placed[:CANDIDATES]
    choosable = [Choosable(one.document.item_id, one.document.category) for one in placed]
    scored = await model.scores(features(Asked(choosable, history))) if placed else None
    if scored is None:
        return ranking
    scores = scored.scores[0, : len(placed)]
    best = [
        replace(placed[place], position=at, score=float(scores[place]))
        for at, place in enumerate(best_first(np.asarray(scores)), 1)
    ]
    return replace(ranking, placed=best, ranker=model.name, ranker_version=scored.version)


def _results(ranking: Ranking) -> Results:
    return Results(
        search_id=new_id(),
        mode="for_you",
        ranker=ranking.ranker,
        group=ranking.group,
        results=[one.document for one in ranking.placed],
    )


async def _history(connection: Connection, caller: Caller) -> list[Chosen]:
    found = await connection.execute(CHOICES, {"subject": caller.id, "choices": HISTORY})
    return [Chosen(row["item_id"], row["category"], row["grade"]) for row in await found.fetchall()]


async def _found(connection: Connection, caller: Caller | None, *, of_taste: bool) -> list[Document]:
    """The popular first: that is the default order."""
    subject, simulated = (caller.id, caller.simulated) if caller else (None, False)
    values: dict[str, Any] = {"subject": subject, "simulated": simulated, "most": OF_A_KIND}
    statements = [POPULAR, NEWEST]
    if caller and of_taste:
        user = await user_of(connection, caller.id)
        values |= {"categories": _favourites(user.clicks), "picture": await _picture(connection, caller)}
        values |= {"version": EMBEDDING_VERSION}
        statements += [OF_CATEGORIES] + ([ALIKE] if values["picture"] is not None else [])
    return _once([await _rows(connection, statement, values) for statement in statements])


def _favourites(clicks: dict[str, float]) -> list[str]:
    """The categories somebody clicked most, by how much."""
    best = sorted((-count, trait) for trait, count in clicks.items() if trait.startswith("category:") and count)
    return [trait.removeprefix("category:") for _, trait in best[:FAVOURITES]]


async def _picture(connection: Connection, caller: Caller) -> Vector | None:
    values = {"subject": caller.id, "recent": RECENT, "version": EMBEDDING_VERSION}
    row = await (await connection.execute(PICTURE, values)).fetchone()
    return row["picture"] if row else None


async def _rows(connection: Connection, statement: str, values: dict[str, Any]) -> list[Document]:
    found = await connection.execute(statement.encode(), values)
    return [Document.model_validate(row) for row in await found.fetchall()]


def _once(kinds: Iterable[Sequence[Document]]) -> list[Document]:
    """Each document once, where it comes first."""
    return list({document.item_id: document for kind in kinds for document in kind}.values())
