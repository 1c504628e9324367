"""Draws pages: the same frame, words and helpers for each, in the visitor's language."""

import logging
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from models.labels import CATEGORIES
from services.chassis.errors import NotSignedIn, Problem
from services.web.assets import Assets
from services.web.csrf import FormNotOurs
from services.web.language import Words, read_words
from services.web.visit import Visit, local_path, visit_of

log = logging.getLogger(__name__)


@cache
def templates() -> Environment:
    """The templates, compiled once a process."""
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"moment": moment, "percent": percent, "place": place, "query": query}
    return made


class Pages:
    """All templates, with what each of them may use."""

    def __init__(self, app_name: str, assets: Assets) -> None:
        self._names = [name.strip() for name in app_name.split(" / ")]
        self._assets = assets
        self.words = read_words()

    def app_name(self, language: str) -> str:
        """The name in that language, if it has two."""
        return self._names[1] if language == "ja" and len(self._names) > 1 else self._names[0]

    def words_of(self, visit: Visit) -> Words:
        """The words of the visitor's language."""
        return self.words[visit.language]

    def draw(
        self,
        request: Request,
        template: str,
        *,
        status: int = 200,
        headers: dict[str, str] | None = None,
        **values: Any,
    ) -> Response:
        """One page, or a part of one; never kept by anybody, for it is the visitor's own."""
        visit = visit_of(request)
        common = {
            "visit": visit,
            "t": self.words_of(visit),
            "app_name": self.app_name(visit.language),
            "here": _here(request),
            "path": request.url.path,
            "asset": self._assets.url,
            "has_asset": self._assets.__contains__,
            "categories": CATEGORIES,
        }
        content = templates().get_template(template).render(common | values)
        response = HTMLResponse(content, status, {"cache-control": "no-store", "vary": "HX-Request"} | (headers or {}))
        visit.leave_cookies(response)
        return response

    def error(self, request: Request, status: int, detail: str = "") -> Response:
        """What went wrong, in words for people."""
        visit = visit_of(request)
        words = self.words_of(visit)
        kind = f"error.{status}" if f"error.{status}.title" in words else "error.other"
        name = "parts/message.html" if visit.live else "error.html"
        return self.draw(request, name, status=status, kind=kind, detail=detail, code=status)

    def install(self, app: Any) -> None:
        """Answer mistakes with pages, but keep problem documents below /api/."""
        chassis = dict(app.exception_handlers)

        async def handled(request: Request, error: Exception) -> Response:
            if request.url.path.startswith("/api/"):
                answer: Response = await _closest(chassis, error)(request, error)
                return answer
            return self._mistake(request, error)

        for kind in chassis:
            app.add_exception_handler(kind, handled)
        # Innermost: outside of it the chassis turns what nobody expected into a problem document.
        app.user_middleware.append(Middleware(UnexpectedPages, pages=self))

    def _mistake(self, request: Request, error: Exception) -> Response:
        if isinstance(error, NotSignedIn) or getattr(error, "status", None) == 401:
            return _to_sign_in(request)
        if isinstance(error, FormNotOurs):
            return self.error(request, 419)
        if isinstance(error, Problem):
            return self.error(request, error.status, error.detail)
        if isinstance(error, HTTPException):
            return self.error(request, error.status_code)
        if isinstance(error, RequestValidationError):
            return self.error(request, 404)
        log.warning("page failed: %r", error, extra={"action": "page.failed", "path": request.url.path})
        return self.error(request, 503)


class UnexpectedPages:
    """ASGI middleware: what nobody expected is logged, and people get a page that says sorry."""

    def __init__(self, app: ASGIApp, pages: Pages) -> None:
        self.app, self.pages = app, pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        started = False

        async def sending(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, receive, sending)
        except Exception as error:
            if started or scope["type"] != "http" or scope["path"].startswith("/api/"):
                raise
            log.error("page failed", exc_info=error, extra={"action": "page.failed", "path": scope["path"]})
            await self.pages.error(Request(scope), 500)(scope, receive, send)


def _closest(handlers: dict[Any, Any], error: Exception) -> Any:
    return next(handlers[kind] for kind in type(error).__mro__ if kind in handlers)


def _to_sign_in(request: Request) -> Response:
    visit = visit_of(request)
    target = f"/sign-in?next={quote(_back(request, visit), safe='')}"
    response: Response = Response(status_code=204, headers={"hx-redirect": target})
    if not visit.live:
        response = RedirectResponse(target, 303)
    visit.leave_cookies(response)
    return response


def _back(request: Request, visit: Visit) -> str:
    """Where to go after signing in: the page itself, or the one a form was sent from."""
    if request.method == "GET" and not visit.live:
        return _here(request)
    return local_path(urlsplit(request.headers.get("referer", "")).path)


def _here(request: Request) -> str:
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def moment(value: str | datetime | None) -> datetime | None:
    """A time of an answer; nothing when it has none that can be read."""
    if value is None or isinstance(value, datetime):
        return value
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        return None
    return parsed if parsed.tzinfo else None


def percent(score: float | None) -> str:
    """A score of 0 to 1 for people."""
    return "" if score is None else f"{score * 100:.0f} %"


def query(values: dict[str, Any]) -> str:
    """The part of an address after the question mark, without what is empty."""
    return urlencode({key: value for key, value in values.items() if value})


def place(found: dict[str, Any], at: int) -> str:
    """Of a result on a page: the search and its position, as a link carries it."""
    positions = found.get("positions") or []
    return f"{found['search_id']}.{positions[at]}" if at < len(positions) else ""
