"""Pages of a search, ordered by the ranker for those who are in its group.

The ranker orders the first window of what the default order gives; its first page is shown, and the cursor
holds the rest as it was ordered, so that a later page neither repeats nor leaves out. Behind the window
the default order goes on.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from numpy.typing import NDArray

from models.search_ranking.features import features, logged, told
from services.chassis.auth import Caller
from services.search import cursors
from services.search.asking import Asking
from services.search.cursors import Entry, Newest, Ranked, Reordered
from services.search.documents import Results
from services.search.finding import Finder
from services.search.profiles import Profiles, Question
from services.search.ranking import RANKER, Experiment, Model, Page, Placed, Ranking, as_found, best_first

WINDOW: Final = 60


@dataclass(frozen=True)
class Ordering:
    """What orders results; without a model, the default order alone."""

    asking: Asking
    finder: Finder
    profiles: Profiles
    experiment: Experiment
    model: Model | None = None

    async def page(self, asked: Question, limit: int, cursor: str | None) -> Page:
        """One page of what is asked for."""
        after = cursors.read(cursor, cursors.fingerprint(asked.query, asked.category))
        if isinstance(after, Reordered):
            return await self._rest(asked, limit, after)
        group = self._group(asked.caller)
        if self._reorders(asked, group, cursor):
            return await self._window(asked, limit)
        results = await self.asking.page(asked.query, asked.category, limit, cursor)
        placed = as_found(results.results, _shown(after))
        return await self._answered(asked, results, Ranking(placed, self._name(group), group))

    def _reorders(self, asked: Question, group: str | None, cursor: str | None) -> bool:
        """Newest means newest: only what was asked for by words or category is ordered by a model."""
        asks = bool(asked.query or asked.category)
        return self.model is not None and not self.model.circuit.rests and group == RANKER and asks and not cursor

    async def _window(self, asked: Question, limit: int) -> Page:
        """The first page of what the model makes of the window, or of the default order if it does not answer."""
        window = await self.asking.page(asked.query, asked.category, max(limit, WINDOW), None)
        placed = await self._seen(asked, window.category, as_found(window.results))
        ranking = Ranking(placed, self._name(RANKER), RANKER)
        if not window.attributes:  # what the picture should show is asked for; no taste goes before it
            ranking = await self._ordered(ranking, window.closest)
        rest = _rest_of(window, ranking, limit, cursors.fingerprint(asked.query, asked.category))
        shown = replace(ranking, placed=ranking.placed[:limit])
        return _page(window.model_copy(update={"next": rest}), shown)

    async def _ordered(self, ranking: Ranking, closest: Collection[UUID]) -> Ranking:
        """The same in the order of the model's scores; what was asked for stays before what a wider search adds."""
        placed = ranking.placed
        assert self.model
        scored = await self.model.scores(_inputs(placed)) if placed else None
        if scored is None:
            return ranking
        order = sorted(best_first(scored.scores), key=lambda place: placed[place].document.item_id not in closest)
        best = [
            replace(placed[place], position=at, score=float(scored.scores[place, 0]))
            for at, place in enumerate(order, 1)
        ]
        return replace(ranking, placed=best, ranker=self.model.name, ranker_version=scored.version)

    async def _rest(self, asked: Question, limit: int, after: Reordered) -> Page:
        """A later page of a window; what can no longer be found is left out."""
        entries = after.entries()
        now, later = entries[:limit], entries[limit:]
        named = await self.finder.named([entry.item_id for entry in now], after.attributes)
        found = {one.item_id: one for one in named}
        placed = [
            Placed(found[entry.item_id].model_copy(update={"score": entry.fit}), at, entry.place)
            for at, entry in enumerate(now, after.offset + 1)
            if entry.item_id in found
        ]
        offset = after.offset + len(now)
        following = after.model_copy(update={"rest": cursors.packed(later), "offset": offset})
        results = Results(
            search_id=after.search_id,
            mode="text" if asked.query else "category",
            relaxed=after.relaxed,
            category=after.category,
            attributes=after.attributes,
            results=[],
            next=cursors.written(following) if later else after.after,
        )
        ranking = Ranking(placed, self._name(RANKER), RANKER, after.ranker, after.ranker_version)
        return await self._answered(asked, results, ranking)

    async def _answered(self, asked: Question, results: Results, ranking: Ranking) -> Page:
        """With what the ranker would be given, so that it can learn from pages it did not order."""
        return _page(results, replace(ranking, placed=await self._seen(asked, results.category, ranking.placed)))

    async def _seen(self, asked: Question, category: str | None, placed: Sequence[Placed]) -> Sequence[Placed]:
        if self.model is None or not placed:
            return placed
        named = replace(asked, category=category)
        known = await self.profiles.asked(named, [one.document for one in placed])
        return [replace(one, features=told(row)) for one, row in zip(placed, features(known), strict=True)]

    def _group(self, caller: Caller | None) -> str | None:
        return self.experiment.group(caller.id if caller else None) if self.model else None

    def _name(self, group: str | None) -> str | None:
        return self.experiment.name if group else None


def _inputs(placed: Sequence[Placed]) -> dict[str, NDArray[Any]]:
    """What the model is given is what is logged."""
    return {"features": logged([one.features for one in placed])}


def _page(results: Results, ranking: Ranking) -> Page:
    """The answer in the order of the ranking."""
    told = {"results": [one.document for one in ranking.placed], "ranker": ranking.ranker, "group": ranking.group}
    return Page(results.model_copy(update=told), ranking)


def _rest_of(window: Results, ranking: Ranking, limit: int, asked: int) -> str | None:
    """The cursor behind the first page of a window."""
    rest = [Entry(one.document.item_id, one.default_position, one.document.score) for one in ranking.placed[limit:]]
    if not rest:
        return window.next
    return cursors.written(
        Reordered(
            search_id=window.search_id,
            rest=cursors.packed(rest),
            offset=limit,
            ranker=ranking.ranker,
            ranker_version=ranking.ranker_version,
            relaxed=window.relaxed,
            category=window.category,
            attributes=window.attributes,
            after=window.next,
            asked=asked,
        )
    )


def _shown(after: Newest | Ranked | None) -> int:
    return after.offset if after else 0
