"""Asking the other services, each within a time limit; what they refuse, and what rests."""

import asyncio
import logging
from collections.abc import Awaitable, Mapping
from typing import Any, TypeVar

import httpx

from services.chassis.errors import Fault, Problem, Unavailable
from services.chassis.logs import request_id

log = logging.getLogger(__name__)
Answer = TypeVar("Answer")


class Resting(Unavailable):
    """A part of the platform is resting."""

    def __init__(self, service: str, why: str = "") -> None:
        super().__init__(f"{service} does not answer. {why}".strip())
        self.service = service


class Refused(Problem):
    """Another service refused this."""


class Remote:
    """The other services by name. Of several replicas the next is asked when one cannot be reached."""

    def __init__(self, http: httpx.AsyncClient, addresses: Mapping[str, tuple[str, ...]], timeout: float) -> None:
        self._http, self.addresses, self._timeout = http, addresses, timeout

    async def json(self, service: str, method: str, path: str, **request: Any) -> Any:
        """The answer's JSON; raises Refused with the fields at fault, or Resting."""
        response = await self.send(service, method, path, **request)
        return _readable(service, response) if response.content else None

    async def send(
        self,
        service: str,
        method: str,
        path: str,
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        within: float | None = None,
        **request: Any,
    ) -> httpx.Response:
        """The answer, whatever it is as long as it is not a failure."""
        sent = _headers(token, headers)
        failure = ""
        for address in self.addresses[service]:
            try:
                response = await self._http.request(
                    method, address + path, headers=sent, timeout=within or self._timeout, **request
                )
            except httpx.ConnectError as error:
                failure = repr(error)
                continue
            except httpx.HTTPError as error:
                failure = repr(error)
                break
            return checked(service, response)
        raise self._resting(service, failure)

    async def open(
        self, service: str, path: str, *, token: str | None, headers: Mapping[str, str], read_timeout: float | None
    ) -> httpx.Response:
        """An answer that is still coming; whoever asks closes it."""
        timeout = httpx.Timeout(self._timeout, read=read_timeout)
        url = self.addresses[service][0] + path
        request = self._http.build_request("GET", url, headers=_headers(token, headers), timeout=timeout)
        try:
            return await self._http.send(request, stream=True)
        except httpx.HTTPError as error:
            raise self._resting(service, repr(error)) from error

    def _resting(self, service: str, why: str) -> Resting:
        log.warning("%s does not answer: %s", service, why, extra={"action": "part.resting", "part": service})
        return Resting(service)


def _headers(token: str | None, headers: Mapping[str, str] | None) -> dict[str, str]:
    sent = dict(headers or {})
    if token:
        sent["authorization"] = f"Bearer {token}"
    if current := request_id.get():
        sent["x-request-id"] = current
    return sent


def checked(service: str, response: httpx.Response) -> httpx.Response:
    """The answer if it is a good one."""
    if response.status_code >= 500:
        raise Resting(service, f"It said {response.status_code}.")
    if response.status_code >= 400:
        raise refusal(response)
    return response


def refusal(response: httpx.Response) -> Refused:
    """A problem document as our own exception; anything else keeps at least its status."""
    try:
        body = response.json()
    except ValueError:
        body = {}
    body = body if isinstance(body, dict) else {}
    faults = [
        Fault(where=str(entry.get("where", "")), what=str(entry.get("what", "")), allowed=entry.get("allowed"))
        for entry in body.get("errors") or []
        if isinstance(entry, dict)
    ]
    return Refused(str(body.get("detail") or body.get("title") or ""), *faults, status=response.status_code)


def _readable(service: str, response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError as error:
        raise Resting(service, "Its answer cannot be read.") from error


async def unless_resting(answer: Awaitable[Answer], instead: Answer) -> Answer:
    """The answer, or something else to show while that part rests or refuses."""
    try:
        return await answer
    except (Resting, Refused):
        return instead


async def together(*answers: Awaitable[Any]) -> list[Any]:
    """All answers, asked for at the same time."""
    return list(await asyncio.gather(*answers))
