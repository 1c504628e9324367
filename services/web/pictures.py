"""Pictures, with the visitor's own rights: the browser's cookie becomes a token for the images service."""

from collections.abc import AsyncIterator
from typing import Literal

import httpx
from fastapi import APIRouter, Path, Request
from starlette.responses import Response, StreamingResponse

from services.chassis.errors import problem_response
from services.web.app import App
from services.web.remote import Resting
from services.web.visit import CurrentVisit

PASSED_DOWN = ("content-type", "content-length", "etag", "cache-control", "last-modified", "vary", "x-enlarged-by")
PASSED_UP = ("if-none-match", "if-modified-since")


def routes(app: App) -> APIRouter:
    """`/pictures/ID/SIZE`."""
    router = APIRouter(include_in_schema=False)

    @router.get("/pictures/{image_id}/{size}")
    async def _picture(
        request: Request,
        visit: CurrentVisit,
        size: Literal["original", "large", "thumbnail", "enlarged"],
        image_id: str = Path(pattern="^[0-9a-f]{64}$"),
    ) -> Response:
        headers = {name: request.headers[name] for name in PASSED_UP if name in request.headers}
        path = f"/api/images/{image_id}/{size}"
        try:
            coming = await app.remote.open("images", path, token=visit.token, headers=headers, read_timeout=10)
        except Resting:
            return problem_response(503, "The picture cannot be had right now.")
        if coming.status_code not in (200, 304):
            await coming.aclose()
            status = coming.status_code if coming.status_code < 500 else 503
            return problem_response(status, "There is no such picture, or you may not see it.")
        kept = {name: coming.headers[name] for name in PASSED_DOWN if name in coming.headers}
        return StreamingResponse(_streamed(coming), coming.status_code, kept)

    return router


async def _streamed(coming: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for chunk in coming.aiter_raw():
            yield chunk
    finally:
        await coming.aclose()
