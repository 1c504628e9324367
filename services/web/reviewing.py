"""The moderator's portal: what the models were not sure about, why, the decision, and taking it back."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from models.labels import PICTURE_VIOLATIONS, TEXT_VIOLATIONS, names
from services.chassis.errors import NotAllowed
from services.web.app import App
from services.web.faults import by_field
from services.web.remote import Refused
from services.web.visit import OwnForm, SignedInVisit, Visit, text

AT_ONCE = 10
RECENT = 12
NUMBERS = ("revision", "sequence")
VIOLATIONS = {"picture": names(PICTURE_VIOLATIONS)[1:], "text": names(TEXT_VIOLATIONS)[1:]}


def routes(app: App) -> APIRouter:
    """`/review` and what is below it."""
    router = APIRouter(include_in_schema=False)

    @router.get("/review")
    async def _queue(request: Request, visit: SignedInVisit, after: str = "") -> Response:
        return await _drawn(app, request, visit, after=after)

    @router.post("/review/{item_id}")
    async def _decide(request: Request, visit: SignedInVisit, item_id: UUID, form: OwnForm) -> Response:
        _may(visit)
        sent: dict[str, Any] = {"decision": text(form, "decision"), "reason": text(form, "reason").strip()}
        sent |= {name: text(form, name) for name in NUMBERS if text(form, name)}
        sent |= {"show_labels": True} if text(form, "show_labels") else {}
        if sent["decision"] == "reject" and text(form, "label"):
            sent["label"] = text(form, "label")
        try:
            await app.remote.json("items", "POST", f"/api/items/{item_id}/review", json=sent, token=visit.token)
        except Refused as refused:
            return await _refused(app, request, visit, refused, item_id)
        return RedirectResponse("/review", 303)

    @router.post("/review/decisions/{decision_id}/undo")
    async def _undo(request: Request, visit: SignedInVisit, decision_id: UUID, form: OwnForm) -> Response:
        _may(visit)
        try:
            await app.remote.json("items", "POST", f"/api/items/decisions/{decision_id}/undo", token=visit.token)
        except Refused as refused:
            return await _refused(app, request, visit, refused)
        return RedirectResponse("/review", 303)

    return router


def _may(visit: Visit) -> None:
    if not visit.moderates:
        raise NotAllowed()


async def _refused(app: App, request: Request, visit: Visit, refused: Refused, item_id: UUID | None = None) -> Response:
    """What is wrong with what was typed stands beside it; that somebody was faster, above the queue."""
    words = app.words(visit)
    if refused.status in (404, 409) or item_id is None:
        said = words("review.too_late" if item_id else "review.no_undo")
        return await _drawn(app, request, visit, status=409, notice=f"{said} ({refused.detail})")
    faults = by_field(refused, ("reason", "label", "decision"), words, "reason")
    return await _drawn(app, request, visit, status=422, faults={str(item_id): next(iter(faults.values()))})


async def _drawn(
    app: App,
    request: Request,
    visit: Visit,
    *,
    status: int = 200,
    after: str = "",
    notice: str = "",
    faults: Mapping[str, str] | None = None,
) -> Response:
    _may(visit)
    page = {"limit": str(AT_ONCE)} | ({"cursor": after} if after else {})
    queue: Any = await app.remote.json("items", "GET", "/api/items/review", params=page, token=visit.token)
    recent: Any = await app.remote.json(
        "items", "GET", "/api/items/decisions", params={"limit": str(RECENT)}, token=visit.token
    )
    return app.pages.draw(
        request,
        "review.html",
        status=status,
        queue=queue,
        recent=recent["decisions"],
        after=after,
        notice=notice,
        faults=faults or {},
        violations=VIOLATIONS,
    )
