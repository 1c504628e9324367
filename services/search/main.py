"""search: the index of what is published, and the ways to find something in it."""

from pydantic import Field

from models.image_screening.features import encode
from services.chassis.backends import Backends
from services.chassis.service import Service
from services.chassis.settings import Settings
from services.contracts import CloudEvent, ItemLiked, ItemPublished, ItemRemoved
from services.search import indexing
from services.search.asking import Asking
from services.search.finding import Finder
from services.search.pictures import MAX_PICTURE_BYTES, Pictures
from services.search.routes import routes
from services.search.words import Words
from services.sources.remote import remote

REFILE_SECONDS = 30
MULTIPART_BYTES = 64 * 1024


class SearchSettings(Settings):
    """Who knows words, who knows pictures, and how hard to look."""

    texts_url: str = Field("http://texts:8140", description="The service of words.")
    inference_sync_url: str = Field(
        "http://inference-sync:8200", description="Hosts of models, comma-separated; the next is asked when one fails."
    )
    search_ef: int = Field(100, ge=10, le=1000, description="HNSW candidates: more finds more exactly, and slower.")


def build(backends: Backends) -> Service:
    """Search on these backends."""
    settings = SearchSettings()
    database = backends.database
    words = Words(backends.http, settings.texts_url)
    finder = Finder(database, settings.search_ef)
    service = Service("search", backends, summary="Find items.", max_body_bytes=MAX_PICTURE_BYTES + MULTIPART_BYTES)
    service.app.include_router(routes(Asking(finder, words), finder, _pictures(backends, settings)))
    service.every(REFILE_SECONDS)(indexing.keep_filed(database, words))
    relay = service.relay()

    @service.consumes(ItemPublished)
    async def _published(data: ItemPublished, event: CloudEvent) -> None:
        await indexing.published(database, words, data, event)
        relay.wake()

    @service.consumes(ItemRemoved)
    async def _removed(data: ItemRemoved, event: CloudEvent) -> None:
        await indexing.removed(database, data, event)
        relay.wake()

    @service.consumes(ItemLiked)
    async def _liked(data: ItemLiked, event: CloudEvent) -> None:
        await indexing.liked(database, data, event)
        relay.wake()

    return service


def _pictures(backends: Backends, settings: SearchSettings) -> Pictures:
    return Pictures(encode, remote(backends.http, settings.inference_sync_url))
