"""Images: takes pictures in, makes them safe to show, and shows them to those who may see them."""

from pydantic import Field

from services.chassis.backends import Backends
from services.chassis.service import Service
from services.chassis.settings import Settings
from services.contracts import CloudEvent, ItemPublished, ItemRemoved
from services.images.line import Line
from services.images.routes import routes
from services.images.showing import shown
from services.images.uploads import AROUND_BYTES, MOST_BYTES


class ImagesSettings(Settings):
    """How many uploads there may be at once."""

    images_uploads: int = Field(48, description="Most uploads under way; one more is told to come again.")
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

    @service.consumes(ItemPublished)
    async def _published(data: ItemPublished, event: CloudEvent) -> None:
        await shown(database, data)

    @service.consumes(ItemRemoved)
    async def _removed(data: ItemRemoved, event: CloudEvent) -> None:
        await shown(database, data)

    return service
