"""Items: what people register, its life until it is published, and the events that tell of it."""

from functools import partial

from prometheus_client import Gauge, Histogram
from pydantic import Field

from services.chassis.backends import Backends
from services.chassis.changes import POLL_SECONDS
from services.chassis.gathering import Gathered
from services.chassis.service import Service
from services.contracts import (
    CloudEvent,
    ItemEvent,
    ItemIndexed,
    ItemLiked,
    ItemPublished,
    ItemRegistered,
    ItemRemoved,
    ItemRescored,
    ItemScreened,
    PictureShown,
)
from services.deny_list import DenySettings
from services.items import judging, statistics, sweeping
from services.items.pictures import Pictures
from services.items.routes import routes
from services.items.stored import transaction
from services.items.watching import watched_items

AT_ONCE = 100
"""Most events that are taken in by one transaction."""
SEARCHABLE_BUCKETS = (0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 30, 60, 300)


class ItemsSettings(DenySettings):
    """Where pictures are, and how often to look for what was forgotten."""

    images_url: str = Field("http://images:8130", description="The service of pictures.")
    items_sweep_seconds: float = Field(5, description="How often to look for items that wait for nothing.")


def build(backends: Backends) -> Service:
    """Items on these backends."""
    settings = ItemsSettings()
    database, deny_list = backends.database, settings.deny_list
    service = Service("items", backends, summary="Register, edit, withdraw, like; the life of an item.")
    relay = service.relay()
    changes = watched_items(database)
    service.app.include_router(routes(database, relay, Pictures(backends.http, settings.images_url), changes))
    service.background(changes.listen)
    service.every(POLL_SECONDS)(changes.poll)

    searchable_seconds = Histogram(
        "item_registered_to_searchable_seconds",
        "From the registration of an item to the moment it can be found, when no person decided.",
        buckets=SEARCHABLE_BUCKETS,
        registry=service.metrics.registry,
    )

    waiting = Gauge("items_waiting", "Items without a decision.", ["state"], registry=service.metrics.registry)
    oldest = Gauge(
        "items_waiting_oldest_seconds", "Age of the oldest of them.", ["state"], registry=service.metrics.registry
    )

    @service.every(settings.items_sweep_seconds)
    async def _count_waiting() -> None:
        for state, (count, seconds) in (await statistics.waiting(database)).items():
            waiting.labels(state).set(count)
            oldest.labels(state).set(seconds)

    judged = Gathered(partial(judging.screened, database, deny_list=deny_list), most=AT_ONCE)
    searchable = Gathered(partial(judging.indexed, database), most=AT_ONCE)
    shown = Gathered(partial(judging.pictures_shown, database), most=AT_ONCE)

    @service.consumes(ItemScreened)
    async def _screened(data: ItemScreened, event: CloudEvent) -> None:
        await judged.ask((data, event))
        relay.wake()

    @service.consumes(ItemIndexed)
    async def _indexed(data: ItemIndexed, event: CloudEvent) -> None:
        seconds = await searchable.ask((data, event))
        if seconds is not None:
            searchable_seconds.observe(seconds)

    @service.consumes(PictureShown)
    async def _picture_shown(data: PictureShown, event: CloudEvent) -> None:
        await shown.ask((data, event))

    @service.consumes(ItemRescored)
    async def _rescored(data: ItemRescored, event: CloudEvent) -> None:
        await judging.rescored(database, data, event, deny_list)
        relay.wake()

    @service.consumes_dead_letters(ItemRegistered)
    async def _not_judged(data: ItemRegistered, event: CloudEvent) -> None:
        await judging.given_up(database, data, event)

    async def _buried(data: ItemEvent, event: CloudEvent) -> None:
        async with transaction(database) as connection:
            await judging.buried(connection, data, event)

    for kind in (ItemScreened, ItemPublished, ItemRemoved, ItemLiked, ItemIndexed, PictureShown, ItemRescored):
        service.consumes_dead_letters(kind)(_buried)

    @service.every(settings.items_sweep_seconds)
    async def _sweep() -> None:
        if await sweeping.sweep(database):
            relay.wake()

    return service
