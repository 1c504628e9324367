"""Answers a search: what was asked, and step by step something wider while that finds too little."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from services.chassis.errors import Unavailable
from services.chassis.ids import new_id
from services.search import cursors
from services.search.cursors import MOST_RANKED, Newest, Ranked, Relaxed
from services.search.documents import Document, Results
from services.search.finding import Finder, Window
from services.search.lexemes import all_of, any_of, plain
from services.search.words import Asked, Words

FEW = 5
"""With fewer matches, kinds are widened to their category: 子猫, then 猫."""

SHORT = 3
"""A text with fewer characters has no trigrams; it is looked for as it is."""

Look = Callable[[Window], Awaitable[list[Document]]]


@dataclass(frozen=True)
class Step:
    """One way to look, and how far it is from what was asked."""

    relaxed: Relaxed | None
    look: Look
    enough: int = 1


class Asking:
    """Text, category, both, or neither."""

    def __init__(self, finder: Finder, words: Words) -> None:
        self._finder, self._words = finder, words

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
        relaxed, found = await self._looked(self._steps(query, understood), window, after)
        following = (
            Ranked(
                search_id=search_id,
                offset=offset + limit,
                until=until,
                relaxed=relaxed,
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
            relaxed=relaxed,
            degraded=understood.degraded,
            category=category or understood.category,
            attributes=understood.attributes,
            results=found[:limit],
            next=cursors.written(following) if following else None,
        )

    async def _understood(self, query: str, after: Ranked | None) -> Asked:
        """A later page must be understood as the first one was."""
        understood = await self._words.asked(query)
        if after and after.degraded != understood.degraded:
            raise Unavailable("This search has to begin again.")
        return understood.model_copy(update={"attributes": after.attributes}) if after else understood

    async def _looked(
        self, steps: Iterator[Step], window: Window, after: Ranked | None
    ) -> tuple[Relaxed | None, list[Document]]:
        """What the first step finds that finds enough; a later page goes on with the step of the first."""
        if after:
            same = next((step for step in steps if step.relaxed == after.relaxed), None)
            return after.relaxed, await same.look(window) if same else []
        relaxed, found = None, list[Document]()
        for step in steps:
            wider = await step.look(window)
            if len(wider) > len(found):
                relaxed, found = step.relaxed, wider
            if len(found) >= step.enough:
                break
        return relaxed, found

    def _steps(self, query: str, asked: Asked) -> Iterator[Step]:
        if asked.degraded:
            yield Step(None, self._containing([group[0] for group in asked.groups]))
        elif asked.groups:
            widened = asked.broader != asked.groups
            yield Step(None, self._matching(all_of(asked.groups)), FEW if widened else 1)
            if widened:
                yield Step("broader", self._matching(all_of(asked.broader)))
            if len(asked.groups) > 1:
                yield Step("any", self._matching(any_of(asked.broader)))
        if not asked.attributes:
            yield Step("spelling", self._spelt(plain(query)))
        elif not asked.groups:
            yield Step(None, self._finder.showing)
        else:
            yield Step("spelling", self._spelt(plain(" ".join(group[0] for group in asked.groups))))
            yield Step("attributes", self._finder.showing)

    def _matching(self, query: str) -> Look:
        return lambda window: self._finder.matching(query, window)

    def _containing(self, parts: list[str]) -> Look:
        return lambda window: self._finder.containing(parts, window)

    def _spelt(self, text: str) -> Look:
        if len(text) < SHORT:
            return self._containing([text])
        return lambda window: self._finder.spelt_alike(text, window)
