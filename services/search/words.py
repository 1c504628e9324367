"""Asks texts for the terms of texts and queries; a query is understood more simply while texts is away."""

import logging
from collections.abc import Sequence
from itertools import islice
from typing import Any

import httpx
import orjson
from pydantic import BaseModel

from services.chassis.errors import Unavailable
from services.chassis.gathering import Gathered
from services.chassis.logs import request_id
from services.search.attributes import Wanted
from services.search.lexemes import plain, printable

log = logging.getLogger(__name__)

LONGEST_TEXT = 4000
DOCUMENTS_A_CALL = 16
PATIENCE_SECONDS = 0.5


class Filed(BaseModel):
    """The terms of some texts, and the version of the rules that made them."""

    vocabulary: str
    terms: list[list[str]]


class Unfamiliar(BaseModel):
    """A word of the query that the product's list does not know, and the places of the groups that are made of it."""

    word: str
    groups: list[int]


class Respelt(BaseModel):
    """The query without its slips of the pen."""

    query: str
    groups: list[list[str]]
    broader: list[list[str]]
    category: str | None = None


class Asked(BaseModel):
    """A query understood: all groups are wanted, one term of each is enough."""

    groups: list[list[str]] = []
    broader: list[list[str]] = []
    category: str | None = None
    attributes: Wanted | None = None
    unfamiliar: list[Unfamiliar] = []
    respelt: Respelt | None = None
    degraded: bool = False


class Words:
    """The service texts."""

    def __init__(self, http: httpx.AsyncClient, url: str) -> None:
        self._http, self._url = http, url.rstrip("/")
        self._documents = Gathered[Sequence[str], Filed](self._filed_together, most=DOCUMENTS_A_CALL)

    async def filed_one(self, texts: Sequence[str]) -> Filed:
        """What the few texts of one document are filed under, asked together with others that wait."""
        return await self._documents.ask(texts)

    async def filed(self, texts: Sequence[str]) -> Filed:
        """What texts are filed under; raises Unavailable."""
        answer = await self._ask("terms", {"texts": [printable(text)[:LONGEST_TEXT] for text in texts]}, 10)
        return Filed(vocabulary=answer["vocabulary"], terms=[result["terms"] for result in answer["results"]])

    async def asked(self, query: str) -> Asked:
        """What a query asks for; its bare words when texts does not answer at once."""
        try:
            return Asked.model_validate(await self._ask("query", {"q": query}, PATIENCE_SECONDS))
        except (httpx.HTTPError, Unavailable) as error:
            log.warning("texts is away: %r", error, extra={"action": "search.degraded"})
            return Asked(groups=[[word] for word in plain(query).split()], degraded=True)

    async def _filed_together(self, documents: Sequence[Sequence[str]]) -> list[Filed]:
        filed = await self.filed([text for document in documents for text in document])
        terms = iter(filed.terms)
        return [Filed(vocabulary=filed.vocabulary, terms=list(islice(terms, len(texts)))) for texts in documents]

    async def _ask(self, what: str, body: dict[str, Any], seconds: float) -> Any:
        headers = {"content-type": "application/json", "x-request-id": request_id.get() or ""}
        url = f"{self._url}/api/texts/{what}"
        response = await self._http.post(url, content=orjson.dumps(body), headers=headers, timeout=seconds)
        if response.status_code >= 500:
            raise Unavailable(f"texts answered {response.status_code}")
        response.raise_for_status()
        return orjson.loads(response.content)
