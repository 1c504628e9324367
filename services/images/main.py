"""Images: takes pictures in, makes them safe to show, and shows them to those who may see them, enlarged if asked."""

from pydantic import Field

from models.super_resolution.contract import MOST
from services.chassis.backends import Backends
from services.chassis.service import Service
from services.chassis.settings import Settings
from services.contracts import CloudEvent, ItemPublished, ItemRemoved
from services.images.enlarging import Enlarging
from services.images.line import Line
from services.images.model_host import ModelHost
from services.images.routes import routes
from services.images.showing import take_in
from services.images.uploads import AROUND_BYTES, MOST_BYTES

COUNT_SECONDS = 60


class ImagesSettings(Settings):
    """How many uploads there may be at once, and what is enlarged."""

    images_uploads: int = Field(64, description="Most uploads under way; one more is told to come again.")
    images_at_once: int = Field(2, description="Most pictures decoded and encoded at the same time.")
    inference_sync_url: str = Field(
        "http://inference-sync:8200", description="Hosts of models, comma-separated; the next is asked when one fails."
    )
    enlarge_most: int = Field(
        MOST, ge=32, le=MOST, description="Longest side of a picture that is enlarged on request."
    )
    enlarge_at_once: int = Field(2, ge=1, description="Most pictures being enlarged; for one more a formula does it.")
    enlarge_seconds: float = Field(3.0, gt=0, description="Time the model has; later, a formula does it.")


def build(backends: Backends) -> Service:
    """Images on these backends."""
    settings = ImagesSettings()
    database = backends.database
    service = Service(
        "images", backends, summary="Upload pictures, and show them.", max_body_bytes=MOST_BYTES + AROUND_BYTES
    )
    line = Line(places=settings.images_uploads, at_once=settings.images_at_once)
    enlarging = _enlarging(service, settings, line)
    service.app.include_router(routes(database, backends.files, line, enlarging))
    service.every(COUNT_SECONDS)(enlarging.count)

    async def _shown(data: ItemPublished | ItemRemoved, event: CloudEvent) -> None:
        # Lost on the way, it is said again: its cause is sent until it has come back.
        effect = await take_in(database, data)
        await backends.bus.publish(CloudEvent.of(effect, source="/images", cause=event))

    for kind in (ItemPublished, ItemRemoved):
        service.consumes(kind)(_shown)

    return service


def _enlarging(service: Service, settings: ImagesSettings, line: Line) -> Enlarging:
    backends = service.backends
    return Enlarging(
        backends.database,
        backends.files,
        line,
        ModelHost(backends.http, settings.inference_sync_url),
        service.metrics,
        most=settings.enlarge_most,
        at_once=settings.enlarge_at_once,
        seconds=settings.enlarge_seconds,
    )
