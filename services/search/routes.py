"""Search over HTTP."""

import unicodedata
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, File, Query, UploadFile
from pgvector import Vector
from pydantic import AfterValidator

from models.image_screening.contract import EMBEDDING_VERSION
from models.labels import CATEGORIES, names
from services.chassis.auth import Anybody, SignedIn
from services.chassis.errors import NotFound
from services.chassis.ids import new_id
from services.search.documents import CategoryCount, Results
from services.search.finding import Finder
from services.search.for_you import ForYou
from services.search.ordering import Ordering
from services.search.pictures import MAX_PICTURE_BYTES, Pictures
from services.search.profiles import Question
from services.search.ranking import Page, Ranking, as_found
from services.search.using import Using

MAX_QUERY = 200
MAX_PAGE = 60


def _without_control_characters(text: str) -> str:
    for at, character in enumerate(text):
        if unicodedata.category(character) in ("Cc", "Cs"):
            raise ValueError(f"a control character at position {at}")
    return text.strip()


def _known_category(label: str) -> str | None:
    if label and label not in names(CATEGORIES):
        raise ValueError(f"unknown; one of {', '.join(names(CATEGORIES))}")
    return label or None


Words = Annotated[str, Query(max_length=MAX_QUERY), AfterValidator(_without_control_characters)]
CategoryLabel = Annotated[str, Query(), AfterValidator(_known_category)]
Limit = Annotated[int, Query(ge=1, le=MAX_PAGE)]


def routes(ordering: Ordering, for_you: ForYou, finder: Finder, pictures: Pictures, using: Using) -> APIRouter:
    """`/api/search` and what is below it."""
    router = APIRouter(prefix="/api/search", tags=["search"])

    @router.get("", summary="By words, by category, by both, or the newest")
    async def _search(
        caller: Anybody, q: Words = "", category: CategoryLabel = "", limit: Limit = 24, cursor: str = ""
    ) -> Results:
        asked = Question(q, category or None, caller)
        return await using.shown(await ordering.page(asked, limit, cursor), asked)

    @router.get("/for-you", summary="What the caller may like: chosen by a model, else what is popular these days")
    async def _for_you(caller: Anybody, limit: Limit = 12) -> Results:
        return await using.shown(await for_you.page(caller, limit), Question(caller=caller))

    @router.get("/similar", summary="Items whose pictures are like that item's")
    async def _similar(caller: Anybody, item_id: UUID, limit: Limit = 24) -> Results:
        return await using.shown(_as_found(await _alike(item_id, limit)), Question(caller=caller))

    async def _alike(item_id: UUID, limit: int) -> Results:
        picture = await finder.picture(item_id)
        if picture is None:
            raise NotFound("No such item can be found.")
        if picture["embedding"] is None:
            return await _of_its_category(finder, item_id, picture["category"], limit)
        numbers, version = picture["embedding"], picture["embedding_version"]
        found = await finder.similar(numbers, version, limit, without=item_id)
        return Results(search_id=new_id(), mode="similar", results=found)

    @router.post("/similar", summary="Items whose pictures are like the one sent")
    async def _similar_to(caller: SignedIn, file: Annotated[UploadFile, File()], limit: Limit = 24) -> Results:
        numbers = await pictures.embedding(await file.read(MAX_PICTURE_BYTES + 1))
        found = await finder.similar(Vector(numbers), EMBEDDING_VERSION, limit)
        results = Results(search_id=new_id(), mode="similar", results=found)
        return await using.shown(_as_found(results), Question(caller=caller))

    @router.get("/categories", summary="The categories, with how many items each has")
    async def _categories() -> list[CategoryCount]:
        counts = await finder.counts()
        return [
            CategoryCount(label=label.name, en=label.en, ja=label.ja, count=counts.get(label.name, 0))
            for label in CATEGORIES
        ]

    return router


def _as_found(results: Results) -> Page:
    return Page(results, Ranking(as_found(results.results)))


async def _of_its_category(finder: Finder, item_id: UUID, category: str | None, limit: int) -> Results:
    """No model has seen its picture: others of its category, newest first."""
    found = await finder.newest(category, None, limit + 1)
    others = [document for document in found if document.item_id != item_id][:limit]
    return Results(search_id=new_id(), mode="similar", degraded=True, category=category, results=others)
