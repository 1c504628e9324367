"""The moderator's queue: what the models were not sure about."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from services.chassis.errors import NotAllowed
from services.web.app import App
from services.web.faults import by_field
from services.web.remote import Refused
from services.web.visit import OwnForm, SignedInVisit, Visit, text


def routes(app: App) -> APIRouter:
    """`/review`."""
    router = APIRouter(include_in_schema=False)

    @router.get("/review")
    async def _queue(request: Request, visit: SignedInVisit) -> Response:
        return await _drawn(app, request, visit)

    @router.post("/review/{item_id}")
    async def _decide(request: Request, visit: SignedInVisit, item_id: UUID, form: OwnForm) -> Response:
        _may(visit)
        sent = {"decision": text(form, "decision"), "reason": text(form, "reason").strip()}
        sent |= {"revision": text(form, "revision")} if text(form, "revision") else {}
        try:
            await app.remote.json("items", "POST", f"/api/items/{item_id}/review", json=sent, token=visit.token)
        except Refused as refused:
            faults = by_field(refused, ("reason", "decision"), app.words(visit), "reason")
            return await _drawn(app, request, visit, {str(item_id): next(iter(faults.values()))})
        return RedirectResponse("/review", 303)

    return router


def _may(visit: Visit) -> None:
    if not visit.moderates:
        raise NotAllowed()


async def _drawn(app: App, request: Request, visit: Visit, faults: dict[str, str] | None = None) -> Response:
    _may(visit)
    queue: Any = await app.remote.json("items", "GET", "/api/items/review", token=visit.token)
    items = queue["items"] if isinstance(queue, dict) else queue
    return app.pages.draw(request, "review.html", status=422 if faults else 200, items=items, faults=faults or {})
