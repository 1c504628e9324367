"""A predictor as the proxy sees it: a base address and the rest of the path, whichever way it answers.

`predict` answers with the prediction; `async` answers 202 and where to ask later. So either end can be given either
role, and roles are swapped by four settings.
"""

import itertools
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

import httpx
import orjson

from services.chassis.errors import Fault, Problem, Unavailable

UNREACHABLE = (httpx.ConnectError, httpx.ConnectTimeout, httpx.RemoteProtocolError, httpx.ReadError)
MOST_WAIT_SECONDS = 10.0
LATER = 429
"""A status of the caller's range that says nothing about the question."""


class PredictorRefused(Problem):
    """The predictor refused the request."""


class NeverAnswers(Exception):
    """The predictor has said that there will be no answer."""


@dataclass(frozen=True)
class Question:
    """What is sent, as it came."""

    body: bytes
    content_type: str
    headers: Mapping[str, str] = field(default_factory=dict)


class Predictor:
    """Base addresses (comma-separated: one a replica) and an endpoint."""

    def __init__(self, http: httpx.AsyncClient, addresses: str, endpoint: str) -> None:
        self._http = http
        self._urls = [f"{address.strip().rstrip('/')}/{endpoint.strip('/')}" for address in addresses.split(",")]
        self._turn = itertools.count()

    async def ask(self, question: Question, *, patience_seconds: float) -> dict[str, Any]:
        """The prediction; raises PredictorRefused, NeverAnswers, TimeoutError, Unavailable."""
        deadline = time.monotonic() + patience_seconds
        headers = {"content-type": question.content_type} | dict(question.headers)
        first = next(self._turn) % len(self._urls)
        for url in self._urls[first:] + self._urls[:first]:
            try:
                answer = await self._http.post(url, content=question.body, headers=headers, timeout=patience_seconds)
            except UNREACHABLE:
                continue
            except httpx.TimeoutException as error:
                raise TimeoutError(f"{url} did not answer in {patience_seconds} s") from error
            if answer.status_code == 202:
                return await self._followed(urljoin(url, answer.headers["location"]), deadline)
            return _read(answer)
        raise Unavailable(f"{self._urls[0]} cannot be reached")

    async def _followed(self, url: str, deadline: float) -> dict[str, Any]:
        """Asks after the job until it has ended."""
        while (left := deadline - time.monotonic()) > 0:
            wait = min(left, MOST_WAIT_SECONDS)
            try:
                answer = await self._http.get(url, params={"wait": f"{wait:.2f}"}, timeout=wait + 5)
            except (*UNREACHABLE, httpx.TimeoutException) as error:
                raise Unavailable(f"{url}: {error!r}") from error
            if answer.status_code == 404:
                raise Unavailable(f"{url} is not known any longer")
            if answer.status_code != 202:
                return _prediction(_read(answer))
        raise TimeoutError(f"{url} has no answer yet")


def _read(answer: httpx.Response) -> dict[str, Any]:
    if answer.status_code == 200:
        return dict(orjson.loads(answer.content))
    if answer.status_code >= 500 or answer.status_code == LATER:
        raise Unavailable(f"{answer.url} answered {answer.status_code}")
    detail, faults = _refusal(answer)
    raise PredictorRefused(detail, *faults, status=answer.status_code)


def _prediction(job: Mapping[str, Any]) -> dict[str, Any]:
    if job["state"] != "done":
        raise NeverAnswers(str(job.get("error")))
    return dict(job["prediction"])


def _refusal(answer: httpx.Response) -> tuple[str, list[Fault]]:
    """Why, and what is wrong where: as the predictor said it."""
    try:
        told = orjson.loads(answer.content)
        faults = [Fault.model_validate(fault) for fault in told.get("errors") or []]
        return str(told.get("detail") or "; ".join(fault.what for fault in faults)), faults
    except (ValueError, AttributeError, TypeError):
        return answer.text[:200], []
