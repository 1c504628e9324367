"""Answers a search: what was asked, and step by step something wider while that finds too little."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from services.chassis.errors import Unavailable
from services.chassis.ids import new_id
from services.search import cursors
from services.search.cursors import MOST_RANKED, Newest, Ranked, Relaxed
from services.search.documents import Document, Results
from services.search.finding import Finder, Window
from services.search.lexemes import all_of, any_of, or_also, plain
from services.search.similar import Meaning, Similar, SimilarWords
from services.search.words import Asked, Words

FEW = 5
"""With fewer matches, kinds are widened to their category: 子猫, then 猫."""

SHORT = 3
"""A text with fewer characters has no trigrams; it is looked for as it is."""

Look = Callable[[Window], Awaitable[list[Document]]]


@dataclass(frozen=True)
class Step:
    """One way to look, how far it is from what was asked, and in which other words."""

    relaxed: Relaxed | None
    look: Look
    enough: int = 1
    also: Sequence[str] = ()
    category: str | None = None
    closest: Look | None = None
    """What it would find if it were not as wide."""


class Asking:
    """Text, category, both, or neither."""

    def __init__(self, finder: Finder, words: Words, similar: SimilarWords | None = None) -> None:
        self._finder, self._words, self._similar = finder, words, similar

    async def page(self, query: str, category: str | None, limit: int, cursor: str | None) -> Results:
        """One page of what is asked for."""
        asked = cursors.fingerprint(query, category)
        after = cursors.read(cursor, asked)
        if query:
            return await self._text(query, category, limit, after if isinstance(after, Ranked) else None, asked)
        return await self._newest(category, limit, after if isinstance(after, Newest) else None, asked)

    async def _newest(self, category: str | None, limit: int, after: Newest | None, asked: int) -> Results:
        found = await self._finder.newest(category, after, limit + 1)
        last = found[limit - 1] if len(found) > limit else None
        search_id, shown = (after.search_id, after.offset) if after else (new_id(), 0)
        following = (
            cursors.written(cursors.of_row(search_id, last.published_at, last.item_id, asked, shown + limit))
            if last
            else None
        )
        return Results(
            search_id=search_id,
            mode="category" if category else "newest",
            category=category,
            results=found[:limit],
            next=following,
        )

    async def _text(self, query: str, category: str | None, limit: int, after: Ranked | None, asked: int) -> Results:
        understood = await self._understood(query, after)
        until, offset = (after.until, after.offset) if after else (datetime.now(UTC), 0)
        search_id = after.search_id if after else new_id()
        window = Window(category, until, offset, limit + 1, understood.attributes)
        step, found, closest = await self._looked(self._steps(query, understood), window, after)
        following = (
            Ranked(
                search_id=search_id,
                offset=offset + limit,
                until=until,
                relaxed=step.relaxed,
                degraded=understood.degraded,
                attributes=understood.attributes,
                asked=asked,
            )
            if len(found) > limit and offset + limit < MOST_RANKED
            else None
        )
        return Results(
            search_id=search_id,
            mode="text",
            relaxed=step.relaxed,
            also=list(step.also),
            degraded=understood.degraded,
            category=category or step.category or understood.category,
            attributes=understood.attributes,
            results=found[:limit],
            closest=closest,
            next=cursors.written(following) if following else None,
        )

    async def _understood(self, query: str, after: Ranked | None) -> Asked:
        """A later page must be understood as the first one was."""
        understood = await self._words.asked(query)
        if after and after.degraded != understood.degraded:
            raise Unavailable("This search has to begin again.")
        return understood.model_copy(update={"attributes": after.attributes}) if after else understood

    async def _looked(
        self, steps: AsyncIterator[Step], window: Window, after: Ranked | None
    ) -> tuple[Step, list[Document], frozenset[UUID]]:
        """What the first step finds that finds enough, and what narrower ones had found of it.

        A later page goes on with the step of the first.
        """
        if after:
            async for step in steps:
                if step.relaxed == after.relaxed:
                    return step, await step.look(window), frozenset()
            raise Unavailable("This search has to begin again.")
        best, found, closest = Step(None, self._containing([])), list[Document](), frozenset[UUID]()
        async for step in steps:
            wider = await step.look(window)
            if len(wider) > len(found):
                closest |= {document.item_id for document in found}
                best, found = step, wider
            if len(found) >= step.enough:
                break
        if best.closest:
            closest |= {document.item_id for document in await best.closest(window)}
        return best, found, closest

    async def _steps(self, query: str, asked: Asked) -> AsyncIterator[Step]:
        if asked.degraded:
            yield Step(None, self._containing([group[0] for group in asked.groups]))
        elif asked.groups:
            widened = asked.broader != asked.groups
            yield Step(None, self._matching(all_of(asked.groups)), FEW if widened else 1)
            if widened:
                yield Step("broader", self._matching(all_of(asked.broader)))
        similar = await self._similar_to(asked)
        for step in self._widened(asked, similar):
            yield step
        if (meant := asked.respelt) and not any(one.meanings for one in similar):  # what the model knows is no slip
            look, closest = self._matching(all_of(meant.broader)), self._matching(all_of(meant.groups))
            yield Step("respelt", look, also=[meant.query], category=meant.category, closest=closest)
        if len(asked.groups) > 1 and not asked.degraded:
            yield Step("any", self._matching(any_of(asked.broader)))
        if not asked.attributes:
            yield Step("spelling", self._spelt(plain(query)))
        elif not asked.groups:
            yield Step(None, self._finder.showing)
        else:
            yield Step("spelling", self._spelt(plain(" ".join(group[0] for group in asked.groups))))
            yield Step("attributes", self._finder.showing)

    async def _similar_to(self, asked: Asked) -> list[Similar]:
        """What is similar to the words that the product's list does not know."""
        if self._similar is None or asked.degraded or not asked.unfamiliar:
            return []
        return await self._similar.of([one.word for one in asked.unfamiliar])

    def _widened(self, asked: Asked, similar: Sequence[Similar]) -> Iterator[Step]:
        """Words that mean nearly the same, then what is near enough to be of their category."""
        meanings = [one.meanings for one in similar]
        if any(meanings):
            yield Step("similar", self._matching(_widened(asked, meanings)), also=_told(meanings))
        near = next((one.category for one in similar if one.category), None)
        if near:
            labelled = [[*one.meanings, *([one.category] if one.category else [])] for one in similar]
            look = self._matching(_widened(asked, labelled))
            yield Step("category", look, also=_told(meanings), category=near.word)

    def _matching(self, query: str) -> Look:
        return lambda window: self._finder.matching(query, window)

    def _containing(self, parts: list[str]) -> Look:
        return lambda window: self._finder.containing(parts, window)

    def _spelt(self, text: str) -> Look:
        if len(text) < SHORT:
            return self._containing([text])
        return lambda window: self._finder.spelt_alike(text, window)


def _widened(asked: Asked, meanings: Sequence[Sequence[Meaning]]) -> str:
    """A tsquery: every word of the query, or what stands for those that are unfamiliar."""
    unfamiliar = list(zip(asked.unfamiliar, meanings, strict=False))
    replaced = {place for word, _ in unfamiliar for place in word.groups}
    wanted = [all_of([group]) for place, group in enumerate(asked.broader) if place not in replaced]
    for word, some in unfamiliar:
        typed = all_of([asked.broader[place] for place in word.groups])
        wanted.append(or_also(typed, [one.terms for one in some]))
    return " & ".join(wanted)


def _told(meanings: Sequence[Sequence[Meaning]]) -> list[str]:
    return list(dict.fromkeys(one.word for some in meanings for one in some))
