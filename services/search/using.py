"""Tells of use: which page of results was shown to whom, and what they did with it.

A page is answered only after one insert has put its event into the outbox: whoever saw it, it is known.
What is told of a result afterwards is held against the pages that were really shown.
"""

from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Response
from prometheus_client import Counter
from pydantic import BaseModel, Field, model_validator

from services.chassis import outbox
from services.chassis.auth import Anybody, Caller
from services.chassis.database import Connection, Database
from services.chassis.errors import BadInput, Fault, NotFound
from services.chassis.logs import request_id
from services.chassis.metrics import Metrics
from services.chassis.outbox import Relay
from services.contracts import CloudEvent, Impression, SearchActed, SearchShown
from services.search.documents import Results
from services.search.profiles import Question
from services.search.ranking import Page

SOURCE: Final = "/search"
NO_GROUP: Final = "none"
LONG_VIEW_SECONDS: Final = 10.0
"""A result that is looked at for so long was looked at, not glanced at."""

KEPT: Final = "interval '2 days'"
SHOWN: Final = """
INSERT INTO pages (event_id, search_id, subject, simulated, "group", items, positions)
VALUES (%s, %s, %s, %s, %s, %s, %s)
"""
PAGE: Final = """
SELECT subject, simulated, "group", positions[array_position(items, %(item_id)s)] AS position FROM pages
WHERE search_id = %(search_id)s ORDER BY %(item_id)s = ANY(items) DESC LIMIT 1
"""


class Act(BaseModel):
    """What somebody did with a result."""

    search_id: UUID = Field(description="Of the answer that showed it.")
    action: Literal["click", "long_view"]
    item_id: UUID
    position: int = Field(ge=1, description="Where it stood, from 1 over all pages of the search.")
    seconds: float | None = Field(None, le=86_400, description=f"Of a long view: {LONG_VIEW_SECONDS:g} or more.")

    @model_validator(mode="after")
    def _long_enough(self) -> "Act":
        if self.action == "click" and self.seconds is not None:
            raise ValueError("a click has no seconds")
        if self.action == "long_view" and (self.seconds or 0.0) < LONG_VIEW_SECONDS:
            raise ValueError(f"a long view has seconds, {LONG_VIEW_SECONDS:g} or more")
        return self


class Using:
    """Writes down what is shown and what is done."""

    def __init__(self, database: Database, relay: Relay, metrics: Metrics) -> None:
        self._database, self._relay = database, relay
        labels = ["group", "simulated"]
        self._impressions = metrics.made(
            Counter, "search_impressions_total", "Results shown, by group of the experiment.", labels
        )
        self._clicks = metrics.made(
            Counter, "search_clicks_total", "Results clicked, each once, by group of the experiment.", labels
        )

    async def shown(self, page: Page, asked: Question) -> Results:
        """The answer, now that it is written down that it is given."""
        data = _shown(page, asked)
        event = CloudEvent.of(data, source=SOURCE, requestid=request_id.get())
        items = [impression.item_id for impression in data.impressions]
        positions = [impression.position for impression in data.impressions]
        values = (event.id, data.search_id, data.subject, data.simulated, data.group, items, positions)
        async with self._database.connection() as connection, connection.pipeline(), connection.transaction():
            await connection.execute(SHOWN, values)
            await outbox.add(connection, event)
        self._relay.wake()
        self._impressions.labels(*_labels(data.group, simulated=data.simulated)).inc(len(items))
        return page.results.model_copy(update={"positions": positions})

    async def acted(self, act: Act, caller: Caller | None) -> None:
        """Somebody says what they did; the same a second time changes nothing. Raises NotFound or BadInput."""
        async with self._database.connection() as connection, connection.transaction():
            page = await _page_of(connection, act, caller)
            if not await _is_new(connection, act):
                return
            await outbox.add(connection, CloudEvent.of(_acted(act, page), source=SOURCE, requestid=request_id.get()))
        self._relay.wake()
        if act.action == "click":
            self._clicks.labels(*_labels(page["group"], simulated=page["simulated"])).inc()

    def forgetting(self) -> Callable[[], Coroutine[Any, Any, None]]:
        """A turn that forgets pages nobody acts on any more."""

        async def forget() -> None:
            async with self._database.connection() as connection:
                await connection.execute(f"DELETE FROM pages WHERE shown_at < now() - {KEPT}")  # noqa: S608
                await connection.execute(f"DELETE FROM actions WHERE acted_at < now() - {KEPT}")  # noqa: S608

        return forget


def routes(using: Using) -> APIRouter:
    """What somebody did, told by whatever showed them the results."""
    router = APIRouter(prefix="/api/search", tags=["search"])

    @router.post("/events", status_code=204, summary="Say that a result was clicked, or looked at for long")
    async def _acted(act: Act, caller: Anybody) -> Response:
        await using.acted(act, caller)
        return Response(status_code=204)

    return router


def _shown(page: Page, asked: Question) -> SearchShown:
    caller, ranking = asked.caller, page.ranking
    return SearchShown(
        search_id=page.results.search_id,
        subject=caller.id if caller else None,
        simulated=caller is not None and caller.simulated,
        mode=page.results.mode,
        query=asked.query,
        category=page.results.category,
        attributes=list(page.results.attributes.names()) if page.results.attributes else [],
        experiment=ranking.experiment,
        group=ranking.group,
        ranker=ranking.ranker,
        ranker_version=ranking.ranker_version,
        relaxed=page.results.relaxed,
        impressions=[
            Impression(
                item_id=one.document.item_id,
                position=one.position,
                default_position=one.default_position,
                score=one.score,
                features=dict(one.features),
            )
            for one in ranking.placed
        ],
        shown_at=datetime.now(UTC),
    )


def _acted(act: Act, page: dict[str, Any]) -> SearchActed:
    """Whose it is and of which group is said by the page, not by who tells it."""
    known = {name: page[name] for name in ("subject", "simulated", "group")}
    return SearchActed(**act.model_dump(), **known, acted_at=datetime.now(UTC))


async def _page_of(connection: Connection, act: Act, caller: Caller | None) -> dict[str, Any]:
    found = await connection.execute(PAGE, {"search_id": act.search_id, "item_id": act.item_id})
    page = await found.fetchone()
    if page is None or (page["subject"] and (caller is None or caller.id != page["subject"])):
        raise NotFound("Nobody was shown such a page lately, or it was not shown to you.")
    if page["position"] is None:
        raise BadInput("It was not shown.", Fault(where="body.item_id", what="is on no page of this search"))
    if page["position"] != act.position:
        raise BadInput(
            "It stood somewhere else.",
            Fault(where="body.position", what=f"is not {act.position}", allowed=str(page["position"])),
        )
    return page


async def _is_new(connection: Connection, act: Act) -> bool:
    done = await connection.execute(
        "INSERT INTO actions (search_id, item_id, action) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
        (act.search_id, act.item_id, act.action),
    )
    return done.rowcount == 1


def _labels(group: str | None, *, simulated: bool) -> tuple[str, str]:
    return group or NO_GROUP, str(simulated).lower()
