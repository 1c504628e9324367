"""Register an item, and edit one: the picture goes to images, the words to items."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from services.chassis.errors import NotAllowed
from services.web import assisting
from services.web.app import App
from services.web.faults import by_field
from services.web.remote import Refused
from services.web.uploading import sent, uploaded
from services.web.visit import OwnForm, SignedInVisit, Visit, once, text

FIELDS = ("title", "description", "category")
ALL_FIELDS = ("file", "image_id", *FIELDS)


def routes(app: App) -> APIRouter:
    """`/register` with its suggestions, `/items/ID/edit`, `/items/ID/withdraw`."""
    router = APIRouter(include_in_schema=False)
    router.include_router(assisting.routes(app))

    @router.get("/register")
    async def _page(request: Request, visit: SignedInVisit) -> Response:
        return _form(app, request, {"key": once()})

    @router.post("/register")
    async def _register(request: Request, visit: SignedInVisit, form: OwnForm) -> Response:
        typed = {name: text(form, name) for name in ("key", "image_id", "suggestions", *FIELDS)}
        try:
            typed["image_id"] = await _picture(app, visit, form) or typed["image_id"]
            item = await _item(app, visit, typed, assisting.offered(form))
        except Refused as refused:
            where = "file" if not typed["image_id"] else ""
            typed["key"] = once() if refused.status == 409 else typed["key"]
            return _form(app, request, typed, by_field(refused, ALL_FIELDS, app.words(visit), where))
        return RedirectResponse(f"/items/{item['id']}", 303)

    @router.get("/items/{item_id}/edit")
    async def _edit_page(request: Request, visit: SignedInVisit, item_id: UUID) -> Response:
        item = await app.remote.json("items", "GET", f"/api/items/{item_id}", token=visit.token)
        if visit.caller is None or item["owner_id"] != str(visit.caller.id):
            raise NotAllowed()
        return _form(app, request, item, page="edit.html", item_id=item_id)

    @router.post("/items/{item_id}/edit")
    async def _edit(request: Request, visit: SignedInVisit, item_id: UUID, form: OwnForm) -> Response:
        typed: dict[str, Any] = {name: text(form, name) for name in FIELDS}
        changes = typed | {"category": typed["category"] or None}
        try:
            await app.remote.json("items", "PATCH", f"/api/items/{item_id}", json=changes, token=visit.token)
        except Refused as refused:
            if refused.status != 422:
                raise
            faults = by_field(refused, FIELDS, app.words(visit))
            typed["image_id"] = text(form, "image_id")
            return _form(app, request, typed, faults, page="edit.html", item_id=item_id)
        return RedirectResponse(f"/items/{item_id}", 303)

    @router.post("/items/{item_id}/withdraw")
    async def _withdraw(visit: SignedInVisit, item_id: UUID, form: OwnForm) -> Response:
        await app.remote.send("items", "DELETE", f"/api/items/{item_id}", token=visit.token)
        return RedirectResponse("/mine", 303)

    return router


def _form(
    app: App,
    request: Request,
    typed: dict[str, Any],
    faults: dict[str, str] | None = None,
    *,
    page: str = "register.html",
    item_id: UUID | None = None,
) -> Response:
    blank = {"title": "", "description": "", "category": "", "image_id": "", "key": "", "suggestions": ""}
    return app.pages.draw(
        request,
        page,
        status=422 if faults else 200,
        typed=blank | typed,
        faults=faults or {},
        item_id=item_id,
        limit=app.settings.web_max_upload_bytes,
    )


async def _picture(app: App, visit: Visit, form: FormData) -> str:
    """The id of the picture that was sent, or nothing when none was: then it is kept already."""
    file = await sent(app, form)
    if file is not None:
        return await uploaded(app, visit, file, await file.read())
    if text(form, "image_id"):
        return ""
    raise Refused(status=400)


async def _item(app: App, visit: Visit, typed: dict[str, str], suggestions: list[dict[str, Any]]) -> Any:
    words: dict[str, Any] = {name: typed[name] for name in ("image_id", "title", "description")}
    return await app.remote.json(
        "items",
        "POST",
        "/api/items",
        json=words | {"category": typed["category"] or None, "suggestions": suggestions},
        headers={"idempotency-key": typed["key"] or once()},
        token=visit.token,
    )
