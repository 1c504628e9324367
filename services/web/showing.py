"""The page of one item, what happens to it while it is judged, likes, and the items of one's own."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import UUID

import httpx
from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from services.web.app import App
from services.web.enlarging import about, is_small
from services.web.finding import similar_to
from services.web.remote import Resting, checked, together, unless_resting
from services.web.using import opened
from services.web.visit import CurrentVisit, OwnForm, SignedInVisit, Visit, text

STATES = ("screening", "published", "needs_review", "rejected", "withdrawn")
SIMILAR = 6
SILENCE_SECONDS = 60.0
MOST_STREAMS = 60
"""A stream holds a connection to items; others are needed for everything else."""


def routes(app: App) -> APIRouter:
    """`/items/ID`, its progress, its events, its like; `/mine`."""
    router = APIRouter(include_in_schema=False)
    streams = asyncio.Semaphore(MOST_STREAMS)

    @router.get("/mine")
    async def _mine(request: Request, visit: SignedInVisit, state: str = "", cursor: str = "") -> Response:
        asked = {"state": state if state in STATES else "", "cursor": cursor}
        given = {key: value for key, value in asked.items() if value} | {"limit": 24}
        mine = await app.remote.json("items", "GET", "/api/items/mine", params=given, token=visit.token)
        more = {"path": "/mine", "query": {"state": state, "cursor": mine["next"]}} if mine.get("next") else None
        page = "parts/own_items.html" if visit.live else "mine.html"
        return app.pages.draw(request, page, items=mine["items"], state=asked["state"], states=STATES, more=more)

    @router.get("/items/{item_id}")
    async def _item(
        request: Request, visit: CurrentVisit, item_id: UUID, found_at: Annotated[str, Query(alias="from")] = ""
    ) -> Response:
        item, similar, _ = await together(
            _read(app, visit, item_id), _similar(app, visit, item_id), opened(app, visit, item_id, found_at)
        )
        picture = await about(app, visit, item["image_id"])
        shown = {"found_at": found_at, "item": item, "similar": similar, "picture": picture, "small": is_small(picture)}
        return app.pages.draw(request, "item.html", **shown, **roles(visit, item))

    @router.get("/items/{item_id}/progress")
    async def _progress(request: Request, visit: CurrentVisit, item_id: UUID) -> Response:
        item = await _read(app, visit, item_id)
        return app.pages.draw(request, "parts/progress.html", item=item, **roles(visit, item))

    @router.get("/items/{item_id}/events")
    async def _events(visit: SignedInVisit, item_id: UUID) -> Response:
        if streams.locked():
            raise Resting("items", "Too many are watching; the page asks now and then instead.")
        path = f"/api/items/{item_id}/events"
        headers = {"accept": "text/event-stream"}
        coming = await app.remote.open("items", path, token=visit.token, headers=headers, read_timeout=SILENCE_SECONDS)
        if coming.status_code >= 400:
            await coming.aread()
            await coming.aclose()
            checked("items", coming)
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        return StreamingResponse(_passed_on(coming, streams), media_type="text/event-stream", headers=headers)

    @router.post("/items/{item_id}/like")
    async def _like(request: Request, visit: SignedInVisit, item_id: UUID, form: OwnForm) -> Response:
        method = "PUT" if text(form, "like") == "yes" else "DELETE"
        answer = await app.remote.json("items", method, f"/api/items/{item_id}/like", token=visit.token)
        if not visit.live:
            return RedirectResponse(f"/items/{item_id}", 303)
        return app.pages.draw(request, "parts/like.html", item={"id": str(item_id), "state": "published"} | answer)

    return router


def roles(visit: Visit, item: dict[str, Any]) -> dict[str, Any]:
    """What the visitor is to that item."""
    return {"owns": visit.caller is not None and item["owner_id"] == str(visit.caller.id), "moderates": visit.moderates}


async def _read(app: App, visit: Visit, item_id: UUID) -> Any:
    return await app.remote.json("items", "GET", f"/api/items/{item_id}", token=visit.token)


async def _similar(app: App, visit: Visit, item_id: UUID) -> Any:
    return await unless_resting(similar_to(app, visit, item_id, SIMILAR), {"results": []})


async def _passed_on(coming: httpx.Response, streams: asyncio.Semaphore) -> AsyncIterator[bytes]:
    """The events as they come; a break ends the stream, and the browser asks again."""
    try:
        async with streams:
            async for chunk in coming.aiter_raw():
                yield chunk
    except httpx.HTTPError:
        return
    finally:
        await coming.aclose()
