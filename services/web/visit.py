"""Who is looking at a page, in which language and theme, and that a form was really theirs."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated
from uuid import uuid4

from fastapi import Depends, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from services.chassis.auth import Caller, TokenVerifier
from services.chassis.errors import NotSignedIn
from services.web.csrf import FIELD, HEADER, Csrf, new_visitor
from services.web.language import wanted

SESSION, VISITOR, LANGUAGE, THEME = "session", "visitor", "language", "theme"
THEMES = ("light", "dark")
YEAR_SECONDS = 365 * 24 * 3600


@dataclass(frozen=True)
class Visit:
    """One request of one visitor. A token that is not valid any more counts as none."""

    caller: Caller | None
    visitor: str
    is_new: bool
    csrf: str
    language: str
    theme: str | None
    secure: bool
    stale: bool
    live: bool

    @property
    def token(self) -> str | None:
        """What other services are asked with."""
        return self.caller.token if self.caller else None

    @property
    def moderates(self) -> bool:
        """Whether the visitor sees the queue."""
        return self.caller is not None and (self.caller.may("moderator") or self.caller.may("operator"))

    @property
    def operates(self) -> bool:
        """Whether the visitor sees what only operators see."""
        return self.caller is not None and self.caller.may("operator")

    def leave_cookies(self, response: Response) -> None:
        """Tell the browser what to remember, and to forget a session that has ended."""
        if self.is_new:
            response.set_cookie(VISITOR, self.visitor, httponly=True, samesite="lax", secure=self.secure)
        if self.stale:
            response.delete_cookie(SESSION, httponly=True, samesite="lax", secure=self.secure)

    def remember(self, response: Response, name: str, value: str) -> None:
        """Keep a preference for a year."""
        response.set_cookie(name, value, max_age=YEAR_SECONDS, httponly=True, samesite="lax", secure=self.secure)


def visit_of(request: Request) -> Visit:
    """Read the visitor's cookies once a request."""
    if not hasattr(request.state, "visit"):
        request.state.visit = _read(request)
    visit: Visit = request.state.visit
    return visit


def _read(request: Request) -> Visit:
    cookies = request.cookies
    session = cookies.get(SESSION)
    caller = _caller(request.app.state.verifier, session)
    visitor = cookies.get(VISITOR, "")
    is_new = caller is None and not visitor
    visitor = new_visitor() if is_new else visitor
    csrf: Csrf = request.app.state.csrf
    theme = cookies.get(THEME)
    return Visit(
        caller=caller,
        visitor=visitor,
        is_new=is_new,
        csrf=csrf.token(caller.token if caller else visitor),
        language=wanted(cookies.get(LANGUAGE), request.headers.get("accept-language")),
        theme=theme if theme in THEMES else None,
        secure=request.headers.get("x-forwarded-proto", request.url.scheme) == "https",
        stale=session is not None and caller is None,
        live=request.headers.get("hx-request") == "true",
    )


def _caller(verifier: TokenVerifier, session: str | None) -> Caller | None:
    if not session:
        return None
    try:
        return verifier.caller(session)
    except NotSignedIn:
        return None


async def current_visit(request: Request) -> Visit:
    """The visit, as a dependency."""
    return visit_of(request)


async def signed_in(visit: Annotated[Visit, Depends(current_visit)]) -> Visit:
    """The visit of somebody who has signed in; else the sign-in page comes."""
    if visit.caller is None:
        raise NotSignedIn()
    return visit


async def own_form(request: Request, visit: Annotated[Visit, Depends(current_visit)]) -> AsyncIterator[FormData]:
    """The form that was sent, which must carry the visitor's own token."""
    async with request.form(max_files=1, max_fields=30, max_part_size=64 * 1024) as form:
        given = request.headers.get(HEADER) or form.get(FIELD)
        csrf: Csrf = request.app.state.csrf
        csrf.check("" if visit.is_new else _signed_with(visit), given if isinstance(given, str) else None)
        yield form


def _signed_with(visit: Visit) -> str:
    return visit.caller.token if visit.caller else visit.visitor


def text(form: FormData, name: str) -> str:
    """What was typed into a field; nothing when it is missing or a file."""
    value = form.get(name)
    return value if isinstance(value, str) else ""


def local_path(target: str | None, otherwise: str = "/") -> str:
    """Where to go next: only within this app, so that no link sends people elsewhere."""
    ours = target and target.startswith("/") and not target.startswith(("//", "/\\")) and target.isprintable()
    return target if target and ours else otherwise


def once() -> str:
    """A key that makes sending a form twice register once."""
    return str(uuid4())


CurrentVisit = Annotated[Visit, Depends(current_visit)]
SignedInVisit = Annotated[Visit, Depends(signed_in)]
OwnForm = Annotated[FormData, Depends(own_form)]
