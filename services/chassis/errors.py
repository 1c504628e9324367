"""Errors are classes whose docstring is the title; here alone they become problem+json (RFC 9457)."""

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import httpx
import psycopg
import psycopg_pool
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from models.refusal import ContractBroken
from services.chassis.logs import request_id

log = logging.getLogger(__name__)


class Fault(BaseModel):
    """One thing that is wrong: where, what, and what is allowed."""

    where: str
    what: str
    allowed: str | None = None


class Problem(Exception):
    """The request could not be served."""

    status: int = 400
    members: Mapping[str, str] = {}
    """What the answer has besides what every error has, such as the `error` of OAuth 2."""

    def __init__(
        self,
        detail: str = "",
        *faults: Fault,
        status: int | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.faults = faults
        self.status = status or self.status
        self.headers = headers or {}

    @property
    def title(self) -> str:
        """The first line of the class's docstring."""
        return (type(self).__doc__ or "Error").strip().splitlines()[0]


class BadInput(Problem):
    """The input is not valid."""

    status = 422


class NotSignedIn(Problem):
    """A valid token is needed."""

    status = 401

    def __init__(self, detail: str = "Send a token of /api/identity/token as `Authorization: Bearer ...`.") -> None:
        super().__init__(detail, headers={"WWW-Authenticate": "Bearer"})


class NotAllowed(Problem):
    """You may not do this."""

    status = 403


class NotFound(Problem):
    """There is no such thing, or you may not see it."""

    status = 404


class Conflict(Problem):
    """The thing is not in a state that allows this."""

    status = 409


class Unavailable(Problem):
    """A part of the platform does not answer right now; try again."""

    status = 503

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail, headers={"Retry-After": "1"})


def problem_response(
    status: int,
    title: str,
    detail: str = "",
    *,
    instance: str = "",
    faults: Sequence[Fault] = (),
    headers: dict[str, str] | None = None,
    members: Mapping[str, str] | None = None,
) -> JSONResponse:
    """The one shape every error has."""
    body: dict[str, Any] = {"type": "about:blank", "title": title, "status": status, **(members or {})}
    body |= {"detail": detail} if detail else {}
    body |= {"instance": instance} if instance else {}
    body |= {"errors": [fault.model_dump(exclude_none=True) for fault in faults]} if faults else {}
    body |= {"request_id": request_id.get()} if request_id.get() else {}
    if instance.startswith("/v2/"):  # the Open Inference Protocol's own clients read this member
        body["error"] = detail or title
    return JSONResponse(body, status, headers=headers, media_type="application/problem+json")


def install(app: FastAPI) -> None:
    """Map every exception to its problem, in one place."""
    handlers: dict[Any, Any] = {
        Problem: _problem,
        RequestValidationError: _invalid,
        ContractBroken: _contract,
        HTTPException: _http,
        psycopg.OperationalError: _unavailable,
        psycopg_pool.PoolTimeout: _unavailable,
        httpx.TransportError: _unavailable,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)


async def answer(request: Request, error: Exception) -> Response:
    """What an exception is answered with, for who is not behind FastAPI."""
    for kind in type(error).__mro__:
        if handler := request.app.exception_handlers.get(kind):
            response: Response = await handler(request, error)
            return response
    return unexpected(request.method, request.url.path, error)


def unexpected(method: str, path: str, error: Exception) -> JSONResponse:
    """Nobody expected this exception: it is logged, and the caller is told no more than that."""
    log.error("%s %s failed", method, path, exc_info=error, extra={"action": "request.failed"})
    return problem_response(500, "Something went wrong here; it has been logged.", instance=path)


def _refused(request: Request, status: int, title: str, detail: str, faults: Sequence[Fault] = ()) -> None:
    log.info(
        "refused %s %s: %s",
        request.method,
        request.url.path,
        detail or title,
        extra={"action": "request.refused", "status": status, "faults": [f.where for f in faults]},
    )


async def _problem(request: Request, error: Problem) -> JSONResponse:
    _refused(request, error.status, error.title, error.detail, error.faults)
    return problem_response(
        error.status,
        error.title,
        error.detail,
        instance=request.url.path,
        faults=error.faults,
        headers=error.headers,
        members=error.members,
    )


async def _invalid(request: Request, error: RequestValidationError) -> JSONResponse:
    faults = [
        Fault(
            where=".".join(str(part) for part in entry["loc"]),
            what=entry["msg"].removeprefix("Value error, "),
            allowed=", ".join(f"{k}: {v}" for k, v in (entry.get("ctx") or {}).items() if k != "error") or None,
        )
        for entry in error.errors()
    ]
    _refused(request, 422, "invalid", "; ".join(f"{f.where}: {f.what}" for f in faults), faults)
    return problem_response(422, "The input is not valid.", instance=request.url.path, faults=faults)


async def _contract(request: Request, error: ContractBroken) -> JSONResponse:
    faults = [Fault(where=error.where, what=error.what, allowed=error.allowed)]
    _refused(request, 422, "contract", str(error), faults)
    return problem_response(
        422,
        "The input does not keep the model's contract.",
        str(error),
        instance=request.url.path,
        faults=faults,
    )


async def _http(request: Request, error: HTTPException) -> JSONResponse:
    _refused(request, error.status_code, HTTPStatus(error.status_code).phrase, str(error.detail))
    return problem_response(
        error.status_code,
        HTTPStatus(error.status_code).phrase,
        str(error.detail),
        instance=request.url.path,
        headers=dict(error.headers or {}),
    )


async def _unavailable(request: Request, error: Exception) -> JSONResponse:
    log.warning(
        "%s %s: %s",
        request.method,
        request.url.path,
        error,
        extra={"action": "request.unavailable", "error": repr(error)},
    )
    return problem_response(503, Unavailable.__doc__ or "", instance=request.url.path, headers={"Retry-After": "1"})
