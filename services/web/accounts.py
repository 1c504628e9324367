"""Sign up, sign in, sign out; and what a visitor prefers."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from services.web.app import App
from services.web.faults import by_field
from services.web.language import LANGUAGES
from services.web.remote import Refused
from services.web.visit import LANGUAGE, SESSION, THEME, THEMES, CurrentVisit, OwnForm, Visit, local_path, text

FIELDS = ("name", "password")


def routes(app: App) -> APIRouter:
    """`/sign-in`, `/sign-up`, `/sign-out`, `/preferences`."""
    router = APIRouter(include_in_schema=False)

    @router.get("/sign-in")
    async def _sign_in_page(request: Request, next: str = "/") -> Response:
        return _form(app, request, "sign_in.html", next)

    @router.post("/sign-in")
    async def _sign_in(request: Request, visit: CurrentVisit, form: OwnForm) -> Response:
        try:
            return await _signed_in(app, visit, form)
        except Refused as refused:
            wrong = {"": app.words(visit)("fault.often" if refused.status == 429 else "fault.sign_in")}
            return _form(app, request, "sign_in.html", text(form, "next"), text(form, "name"), wrong)

    @router.get("/sign-up")
    async def _sign_up_page(request: Request, next: str = "/") -> Response:
        return _form(app, request, "sign_up.html", next)

    @router.post("/sign-up")
    async def _sign_up(request: Request, visit: CurrentVisit, form: OwnForm) -> Response:
        wanted = {field: text(form, field) for field in FIELDS}
        try:
            await app.remote.json("identity", "POST", "/api/identity/users", json=wanted)
            return await _signed_in(app, visit, form)
        except Refused as refused:
            faults = by_field(refused, FIELDS, app.words(visit), "name" if refused.status == 409 else "")
            return _form(app, request, "sign_up.html", text(form, "next"), wanted["name"], faults)

    @router.post("/sign-out")
    async def _sign_out(visit: CurrentVisit, form: OwnForm) -> Response:
        response = RedirectResponse("/", 303)
        response.delete_cookie(SESSION, httponly=True, samesite="lax", secure=visit.secure)
        return response

    @router.post("/preferences")
    async def _prefer(visit: CurrentVisit, form: OwnForm) -> Response:
        response = RedirectResponse(local_path(text(form, "next")), 303)
        if text(form, LANGUAGE) in LANGUAGES:
            visit.remember(response, LANGUAGE, text(form, LANGUAGE))
        if text(form, THEME) in THEMES:
            visit.remember(response, THEME, text(form, THEME))
        return response

    return router


async def _signed_in(app: App, visit: Visit, form: FormData) -> Response:
    asked = {"grant_type": "password", "username": text(form, "name"), "password": text(form, "password")}
    answer: dict[str, Any] = await app.remote.json("identity", "POST", "/api/identity/token", data=asked)
    response = RedirectResponse(local_path(text(form, "next")), 303)
    response.set_cookie(
        SESSION,
        answer["access_token"],
        max_age=int(answer["expires_in"]),
        httponly=True,
        samesite="lax",
        secure=visit.secure,
    )
    return response


def _form(
    app: App, request: Request, page: str, next: str, name: str = "", faults: dict[str, str] | None = None
) -> Response:
    status = 422 if faults else 200
    return app.pages.draw(request, page, status=status, next=local_path(next), name=name, faults=faults or {})
