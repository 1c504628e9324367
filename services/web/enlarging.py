"""A small picture as it was uploaded and enlarged by the model, beside each other."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.chassis.errors import NotFound
from services.web.app import App
from services.web.remote import checked, unless_resting
from services.web.visit import CurrentVisit, Visit

PATIENCE_SECONDS = 10.0


def routes(app: App) -> APIRouter:
    """`/items/ID/enlarged`."""
    router = APIRouter(include_in_schema=False)

    @router.get("/items/{item_id}/enlarged")
    async def _enlarged(request: Request, visit: CurrentVisit, item_id: UUID) -> Response:
        item = await app.remote.json("items", "GET", f"/api/items/{item_id}", token=visit.token)
        picture = await app.remote.json("images", "GET", f"/api/images/{item['image_id']}", token=visit.token)
        if not is_small(picture):
            raise NotFound("The picture is large enough.")
        by = await _made_by(app, visit, picture["urls"]["enlarged"])
        return app.pages.draw(request, "enlarged.html", item=item, picture=picture, version=version_of(by))

    return router


async def about(app: App, visit: Visit, image_id: str) -> dict[str, Any]:
    """How large a picture is, and whether it can be had enlarged; nothing while nobody can tell."""
    path = f"/api/images/{image_id}"
    known: dict[str, Any] = await unless_resting(app.remote.json("images", "GET", path, token=visit.token), {})
    return known


def is_small(picture: dict[str, Any]) -> bool:
    """Whether the images service offers it enlarged."""
    return "enlarged" in picture.get("urls", {})


def version_of(by: str) -> str | None:
    """The model's version, if a model made it."""
    model, _, version = by.partition("/")
    return version if model == "super_resolution" and version else None


async def _made_by(app: App, visit: Visit, path: str) -> str:
    """Who enlarges it; made now if it never was, so that the browser finds it."""
    coming = await app.remote.open("images", path, token=visit.token, headers={}, read_timeout=PATIENCE_SECONDS)
    await coming.aread()
    return str(checked("images", coming).headers.get("x-enlarged-by", ""))
