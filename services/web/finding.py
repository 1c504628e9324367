"""Home and search: newest, by words, by category, by a similar picture."""

from collections.abc import Awaitable
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from starlette.datastructures import FormData, UploadFile

from services.web.app import App
from services.web.faults import by_field
from services.web.remote import Refused, Resting, together, unless_resting
from services.web.visit import CurrentVisit, OwnForm, SignedInVisit, Visit

PAGE_SIZE = 24
SHELF = 6
NOTHING: dict[str, Any] = {"results": [], "next": None, "resting": True}


def routes(app: App) -> APIRouter:
    """`/`, `/search`, `/search/similar`."""
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    async def _home(request: Request, visit: CurrentVisit, cursor: str = "") -> Response:
        if visit.live:
            found = await newest(app, visit, cursor)
            return app.pages.draw(request, "parts/results.html", found=found, more=_more("/", found))
        found, chosen, categories = await together(newest(app, visit, cursor), for_you(app, visit), counts(app))
        values = {"found": found, "chosen": chosen, "counts": categories, "more": _more("/", found)}
        return app.pages.draw(request, "home.html", **values)

    @router.get("/search")
    async def _search(
        request: Request, visit: CurrentVisit, q: str = "", category: str = "", cursor: str = ""
    ) -> Response:
        asked: dict[str, Any] = {"q": q.strip()[:200], "category": category[:40]}
        found, categories = await together(by_words(app, visit, asked, cursor), counts(app))
        page = "parts/results.html" if visit.live else "search.html"
        more = _more("/search", found, **asked)
        return app.pages.draw(request, page, found=found, counts=categories, more=more, mode="words", **asked)

    @router.get("/search/similar")
    async def _like(request: Request, visit: CurrentVisit, item: UUID | None = None) -> Response:
        found = await found_by(similar_to(app, visit, item, PAGE_SIZE)) if item else None
        like = await unless_resting(app.remote.json("items", "GET", f"/api/items/{item}"), None) if item else None
        return _similar_page(app, request, found, like=like)

    @router.post("/search/similar")
    async def _like_picture(request: Request, visit: SignedInVisit, form: OwnForm) -> Response:
        try:
            found = await similar_to_picture(app, visit, form)
        except Refused as refused:
            if refused.status == 401:
                raise
            faults = by_field(refused, ("file",), app.words(visit), "file")
            return _similar_page(app, request, None, fault=faults["file"], status=422)
        return _similar_page(app, request, found)

    return router


def _similar_page(
    app: App, request: Request, found: Any, *, like: Any = None, fault: str = "", status: int = 200
) -> Response:
    values = {"found": found, "like": like, "fault": fault, "more": None, "q": "", "category": "", "mode": "similar"}
    return app.pages.draw(request, "search.html", status=status, counts=[], **values)


def _more(path: str, found: dict[str, Any], **asked: str) -> dict[str, Any] | None:
    return {"path": path, "query": asked | {"cursor": found["next"]}} if found.get("next") else None


async def newest(app: App, visit: Visit, cursor: str) -> Any:
    """What was published last."""
    return await by_words(app, visit, {}, cursor)


async def for_you(app: App, visit: Visit) -> Any:
    """What the visitor may like; what is popular for who is not signed in. Nothing while search rests."""
    asked = {"limit": SHELF}
    call = app.remote.json("search", "GET", "/api/search/for-you", params=asked, token=visit.token, within=2)
    return await unless_resting(call, NOTHING)


async def by_words(app: App, visit: Visit, asked: dict[str, str], cursor: str) -> Any:
    """What the words and the category find; newest first without either."""
    given = {key: value for key, value in (asked | {"cursor": cursor}).items() if value}
    call = app.remote.json("search", "GET", "/api/search", params=given | {"limit": PAGE_SIZE}, token=visit.token)
    return await found_by(call)


async def found_by(call: Awaitable[Any]) -> Any:
    """What search found; what it refuses to look for is found nowhere."""
    try:
        return await call
    except Refused:
        return {"results": [], "next": None}
    except Resting:
        return NOTHING


async def counts(app: App) -> Any:
    """The categories with how many items each has; none while search rests."""
    return await unless_resting(app.remote.json("search", "GET", "/api/search/categories", within=2), [])


async def similar_to(app: App, visit: Visit, item: UUID | str, limit: int) -> Any:
    """Items whose pictures are like that item's."""
    asked = {"item_id": str(item), "limit": limit}
    return await app.remote.json("search", "GET", "/api/search/similar", params=asked, token=visit.token)


async def similar_to_picture(app: App, visit: Visit, form: FormData) -> Any:
    """Items whose pictures are like the one sent; raises Refused when it is no picture."""
    file = form.get("file")
    if not isinstance(file, UploadFile) or not file.filename:
        raise Refused(status=422)
    files = {"file": (file.filename, await file.read(), file.content_type or "application/octet-stream")}
    return await app.remote.json("search", "POST", "/api/search/similar", files=files, token=visit.token, within=10)
