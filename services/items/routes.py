"""The HTTP face of items."""

from collections.abc import AsyncIterable
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from services.chassis.auth import Anybody, Caller, Moderator, SignedIn
from services.chassis.changes import Changes
from services.chassis.database import Database
from services.chassis.errors import NotFound
from services.chassis.outbox import Relay
from services.items import changing, liking, reading, reviewing
from services.items.changing import Key
from services.items.entries import Decision, Edit, Page, QueuePage, Registration
from services.items.life import State
from services.items.pictures import Pictures
from services.items.reading import Reader
from services.items.shown import Decisions, Item, Items, Likes, Queue, Statistics
from services.items.statistics import WINDOW_SECONDS, statistics
from services.items.stored import Stored

IdempotencyKey = Annotated[
    str | None,
    Header(alias="Idempotency-Key", pattern="^[!-~]{1,200}$", description="Repeating it registers nothing twice."),
]


def routes(database: Database, relay: Relay, pictures: Pictures, changes: Changes) -> APIRouter:
    """All of them. Fixed words come before `{item_id}`."""
    router = APIRouter(prefix="/api/items", tags=["items"])
    _lists(router, database)
    _owners(router, database, relay, pictures)
    _likes(router, database, relay)
    _review(router, database, relay)
    _watching(router, database, changes)
    return router


def _lists(router: APIRouter, database: Database) -> None:
    @router.get("/mine")
    async def mine(caller: SignedIn, page: Annotated[Page, Query()], state: State | None = None) -> Items:
        """What you registered, newest first."""
        return await reading.mine(database, Reader.of(caller), state, page)

    @router.get("/review")
    async def review_queue(caller: Moderator, page: Annotated[QueuePage, Query()]) -> Queue:
        """What waits for a moderator: who has waited longest comes first."""
        return await reading.review_queue(database, Reader.of(caller), page)

    @router.get("/decisions")
    async def decisions(caller: Moderator, page: Annotated[Page, Query()]) -> Decisions:
        """What moderators have decided, newest first."""
        return await reading.decisions(database, page)

    @router.get("/statistics")
    async def counts(window: Annotated[int, Query(ge=1, le=7 * 86400)] = WINDOW_SECONDS) -> Statistics:
        """How many items are in which state, and how fast they became searchable in the last `window` seconds."""
        return await statistics(database, window)

    @router.get("/{item_id}")
    async def one(item_id: UUID, caller: Anybody) -> Item:
        """An item: published ones for everybody, others for their owner and for moderators."""
        return await reading.one(database, item_id, Reader.of(caller))


def _owners(router: APIRouter, database: Database, relay: Relay, pictures: Pictures) -> None:
    async def registered(owner: Caller, entry: Registration, key: Key | None) -> Stored | UUID:
        before = await changing.registered_before(database, key) if key else None
        if before:
            return before
        await pictures.must_be_usable(entry.image_id, owner)
        item = await changing.register(database, owner, entry, key)
        relay.wake()
        return item

    @router.post("", status_code=201, responses={200: {"model": Item, "description": "The key was used before."}})
    async def register(
        entry: Registration, caller: SignedIn, response: Response, idempotency_key: IdempotencyKey = None
    ) -> Item:
        """Register an item: it is judged at once, and published when nothing speaks against it."""
        key = Key.of(caller, idempotency_key, entry) if idempotency_key else None
        item = await registered(caller, entry, key)
        shown = Item.new(item) if isinstance(item, Stored) else await reading.one(database, item, Reader.of(caller))
        response.status_code = 201 if isinstance(item, Stored) else 200
        response.headers["Location"] = f"/api/items/{shown.id}"
        return shown

    @router.patch("/{item_id}")
    async def edit(item_id: UUID, entry: Edit, caller: SignedIn) -> Item:
        """Change your item; it is judged again, and unseen until then."""
        await changing.edit(database, item_id, caller, entry)
        relay.wake()
        return await reading.one(database, item_id, Reader.of(caller))

    @router.delete("/{item_id}", status_code=204)
    async def withdraw(item_id: UUID, caller: SignedIn) -> None:
        """Take your item back for good."""
        await changing.withdraw(database, item_id, caller)
        relay.wake()


def _likes(router: APIRouter, database: Database, relay: Relay) -> None:
    @router.put("/{item_id}/like")
    async def like(item_id: UUID, caller: SignedIn) -> Likes:
        """Like a published item."""
        likes = await liking.like(database, item_id, caller, True)
        relay.wake()
        return likes

    @router.delete("/{item_id}/like")
    async def unlike(item_id: UUID, caller: SignedIn) -> Likes:
        """No longer like it."""
        likes = await liking.like(database, item_id, caller, False)
        relay.wake()
        return likes


def _review(router: APIRouter, database: Database, relay: Relay) -> None:
    @router.post("/{item_id}/review")
    async def decide(item_id: UUID, decision: Decision, caller: Moderator) -> Item:
        """Publish or reject what waits, or take down what is published."""
        await reviewing.decide(database, item_id, caller, decision)
        relay.wake()
        return await reading.one(database, item_id, Reader.of(caller))

    @router.post("/decisions/{decision_id}/undo")
    async def undo(decision_id: UUID, caller: Moderator) -> Item:
        """Take a decision back: the item is where it was before."""
        item_id = await reviewing.undo(database, decision_id, caller)
        relay.wake()
        return await reading.one(database, item_id, Reader.of(caller))


def _watching(router: APIRouter, database: Database, changes: Changes) -> None:
    async def first(item_id: UUID, caller: Anybody) -> Item:
        return await reading.one(database, item_id, Reader.of(caller))

    @router.get("/{item_id}/events", response_class=EventSourceResponse)
    async def events(item: Annotated[Item, Depends(first)], caller: Anybody) -> AsyncIterable[ServerSentEvent]:
        """The item now and at each change (`state` events), until nothing more happens by itself."""
        reader = Reader.of(caller)
        told = -1
        with changes.watch(item.id) as changed:
            while told < 0 or not item.final:
                changed.clear()
                try:
                    item = await reading.one(database, item.id, reader)
                except NotFound:
                    return
                if item.sequence > told:
                    told = item.sequence
                    yield ServerSentEvent(event="state", id=str(told), data=item)
                if not item.final:
                    await changed.wait()
