"""search: the index of what is published, and the ways to find something in it."""

from functools import partial
from typing import Literal

from pydantic import Field

from models.image_screening.features import encode
from services.chassis.backends import Backends
from services.chassis.gathering import Gathered
from services.chassis.service import Service
from services.chassis.settings import Settings
from services.contracts import CloudEvent, ItemLiked, ItemPublished, ItemRemoved, SearchActed, SearchShown
from services.search import indexing, use, using
from services.search.asking import Asking
from services.search.finding import Finder
from services.search.for_you import ForYou
from services.search.ordering import Ordering
from services.search.pictures import MAX_PICTURE_BYTES, Pictures
from services.search.profiles import Profiles
from services.search.ranking import Experiment, Model
from services.search.routes import routes
from services.search.similar import SimilarWords
from services.search.using import Using
from services.search.words import DOCUMENTS_A_CALL, Words
from services.sources.remote import remote

REFILE_SECONDS = 30
FORGET_SECONDS = 3600
MULTIPART_BYTES = 64 * 1024


class SearchSettings(Settings):
    """Who knows words, who knows pictures, and how hard to look."""

    texts_url: str = Field("http://texts:8140", description="The service of words.")
    inference_sync_url: str = Field(
        "http://inference-sync:8200", description="Hosts of models, comma-separated; the next is asked when one fails."
    )
    ranker: Literal["search_ranking", "none"] = Field(
        "search_ranking", description="The model that orders results; `none` leaves them as they were found."
    )
    ranker_share: float = Field(0.5, ge=0, le=1, description="Part of the users whose results the ranker orders.")
    for_you: Literal["for_you", "none"] = Field(
        "for_you", description="The model that chooses for somebody; `none` shows everybody what is popular."
    )
    for_you_share: float = Field(0.5, ge=0, le=1, description="Part of the users for whom that model chooses.")
    for_you_experiment: str = Field("for_you", description="Another name deals the users into groups anew.")
    ranker_experiment: str = Field("ranking", description="Another name deals the users into groups anew.")
    ranker_seconds: float = Field(0.05, gt=0, description="Time a ranker has; later, the default order answers.")
    similar_words: Literal["similar_words", "none"] = Field(
        "similar_words", description="The model that knows similar words; `none` looks only for what was asked."
    )
    similar_words_seconds: float = Field(0.1, gt=0, description="Time it has; later, the search goes on without it.")
    search_ef: int = Field(100, ge=10, le=1000, description="HNSW candidates: more finds more exactly, and slower.")


def build(backends: Backends) -> Service:
    """Search on these backends."""
    settings = SearchSettings()
    database = backends.database
    words = Words(backends.http, settings.texts_url)
    finder = Finder(database, settings.search_ef)
    service = Service("search", backends, summary="Find items.", max_body_bytes=MAX_PICTURE_BYTES + MULTIPART_BYTES)
    for_you = ForYou(
        database,
        Experiment(settings.for_you_experiment, settings.for_you_share),
        _model(settings.for_you, service, settings),
    )
    relay = service.relay()
    told, ordering = Using(database, relay, service.metrics), ordering_of(service, settings, finder, words)
    service.app.include_router(routes(ordering, for_you, finder, _pictures(backends, settings), told))
    service.app.include_router(using.routes(told))
    service.every(FORGET_SECONDS)(told.forgetting())
    service.every(REFILE_SECONDS)(indexing.keep_filed(database, words))
    service.every(FORGET_SECONDS)(use.keep_lately(database))

    findable = Gathered(partial(indexing.published, database, words), most=DOCUMENTS_A_CALL)

    @service.consumes(ItemPublished)
    async def _published(data: ItemPublished, event: CloudEvent) -> None:
        await findable.ask((data, event))
        relay.wake()

    @service.consumes(ItemRemoved)
    async def _removed(data: ItemRemoved, event: CloudEvent) -> None:
        await indexing.removed(database, data, event)
        relay.wake()

    @service.consumes(ItemLiked)
    async def _liked(data: ItemLiked, event: CloudEvent) -> None:
        await indexing.liked(database, data, event)
        await use.liked(database, data, event)
        relay.wake()

    @service.consumes(SearchShown)
    async def _shown(data: SearchShown, event: CloudEvent) -> None:
        await use.shown(database, data, event)

    @service.consumes(SearchActed)
    async def _acted(data: SearchActed, event: CloudEvent) -> None:
        await use.acted(database, data, event)

    return service


def ordering_of(service: Service, settings: SearchSettings, finder: Finder, words: Words) -> Ordering:
    """What orders results."""
    return Ordering(
        Asking(finder, words, _similar_words(service, settings, words)),
        finder,
        Profiles(service.backends.database),
        Experiment(settings.ranker_experiment, settings.ranker_share),
        _model(settings.ranker, service, settings),
    )


def _similar_words(service: Service, settings: SearchSettings, words: Words) -> SimilarWords | None:
    if settings.similar_words == "none":
        return None
    seconds = settings.similar_words_seconds
    asked = remote(service.backends.http, settings.inference_sync_url, timeout_seconds=seconds)
    return SimilarWords(asked, words, seconds, service.metrics)


def _model(name: str, service: Service, settings: SearchSettings) -> Model | None:
    if name == "none":
        return None
    asked = remote(service.backends.http, settings.inference_sync_url, timeout_seconds=settings.ranker_seconds)
    return Model(name, asked, settings.ranker_seconds, service.metrics)


def _pictures(backends: Backends, settings: SearchSettings) -> Pictures:
    return Pictures(encode, remote(backends.http, settings.inference_sync_url))
