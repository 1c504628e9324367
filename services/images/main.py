"""Images: takes pictures in, makes them safe to show, and shows them to those who may see them."""

from pydantic import Field

from services.chassis.backends import Backends
from services.chassis.service import Service
from services.chassis.settings import Settings
from services.contracts import CloudEvent, ItemPublished, ItemRemoved
from services.images.line import Line
from services.images.routes import routes
from services.images.showing import take_in
from services.images.uploads import AROUND_BYTES, MOST_BYTES


class ImagesSettings(Settings):
    """How many uploads there may be at once."""

    images_uploads: int = Field(64, description="Most uploads under way; one more is told to come again.")
    images_at_once: int = Field(2, description="Most pictures decoded and encoded at the same time.")


def build(backends: Backends) -> Service:
    """Images on these backends."""
    settings = ImagesSettings()
    database = backends.database
    service = Service(
        "images", backends, summary="Upload pictures, and show them.", max_body_bytes=MOST_BYTES + AROUND_BYTES
    )
    line = Line(places=settings.images_uploads, at_once=settings.images_at_once)
    service.app.include_router(routes(database, backends.files, line))

    async def _shown(data: ItemPublished | ItemRemoved, event: CloudEvent) -> None:
        # Lost on the way, it is said again: its cause is sent until it has come back.
        effect = await take_in(database, data)
        await backends.bus.publish(CloudEvent.of(effect, source="/images", cause=event))

    for kind in (ItemPublished, ItemRemoved):
        service.consumes(kind)(_shown)

    return service
