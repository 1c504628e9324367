"""`POST /api/texts/suggest`: the vocabulary answers at once, and the model of texts where it is quick enough."""

import itertools
import logging
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

import httpx
import orjson
from fastapi import APIRouter, Header
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from services.chassis.logs import request_id
from services.texts.phrases import Tongue
from services.texts.spelling import control_character
from services.texts.suggesting import Categories, Score, Seen, Suggesting, Suggestion, Typed

log = logging.getLogger(__name__)
MODEL = "input_assist"
REFUSED = 422
"""The model was not made for a text in these letters."""


class Away(Exception):
    """No host of the model answered in time."""


@dataclass(frozen=True)
class TextModel:
    """The hosts of input_assist. Whoever types waits for no answer: it has its milliseconds."""

    http: httpx.AsyncClient
    hosts: tuple[str, ...]
    seconds: float
    turn: "itertools.count[int]"

    @classmethod
    def at(cls, http: httpx.AsyncClient, addresses: str, seconds: float) -> "TextModel":
        """Comma-separated base addresses."""
        hosts = tuple(address.strip().rstrip("/") for address in addresses.split(",") if address.strip())
        return cls(http, hosts, seconds, itertools.count())

    async def category(self, text: str, authorization: str | None) -> Categories | None:
        """The categories of the text, where the model is sure; raises Away."""
        told = await self._told(text, authorization)
        if told is None or told["served_by"] != "model":
            return None
        category = told["category"]
        if not category["sure"]:
            return None
        return Categories(id=UUID(told["id"]), model=MODEL, top=[Score.model_validate(one) for one in category["top"]])

    async def _told(self, text: str, authorization: str | None) -> Any:
        headers = {"content-type": "application/json", "x-request-id": request_id.get() or ""}
        headers |= {"authorization": authorization} if authorization else {}
        first = next(self.turn) % len(self.hosts)
        failure = ""
        for host in self.hosts[first:] + self.hosts[:first]:
            try:
                url = f"{host}/v2/models/{MODEL}/predict"
                answer = await self.http.post(
                    url, content=orjson.dumps({"text": text}), headers=headers, timeout=self.seconds
                )
            except httpx.ConnectError as error:
                failure = repr(error)
                continue
            except httpx.HTTPError as error:
                raise Away(repr(error)) from error
            if answer.status_code == REFUSED:
                return None
            if answer.status_code != httpx.codes.OK:
                raise Away(f"{url} answered {answer.status_code}")
            return orjson.loads(answer.content)
        raise Away(failure)


def _printable(text: str) -> str:
    at = control_character(text)
    if at is not None:
        raise ValueError(f"a control character at position {at}")
    return text


class Form(BaseModel):
    """A form as far as it is filled in."""

    model_config = ConfigDict(extra="forbid")
    title: Annotated[str, Field(max_length=120, examples=["公園のね"]), AfterValidator(_printable)] = ""
    description: Annotated[str, Field(max_length=2000), AfterValidator(_printable)] = ""
    language: Tongue = Field("en", description="Of titles and tags.")
    seen: Seen = Field(Seen(), description="What models said of the picture, as much as there is by now.")


class Suggestions(BaseModel):
    """The best of each field first."""

    suggestions: list[Suggestion]
    degraded: bool = Field(description="The model of texts did not answer; the vocabulary did.")


def routes(suggesting: Suggesting, model: TextModel) -> APIRouter:
    """The one route."""
    router = APIRouter(prefix="/api/texts")

    @router.post("/suggest", summary="What may be filled into a form")
    async def _suggest(form: Form, authorization: Annotated[str | None, Header()] = None) -> Suggestions:
        text, told, degraded = f"{form.title}\n{form.description}".strip(), None, False
        if text:
            try:
                told = await model.category(text, authorization)
            except Away as error:
                log.warning("%s does not answer: %s", MODEL, error, extra={"action": "suggesting.degraded"})
                degraded = True
        typed = Typed(form.title, form.description, form.language, told)
        return Suggestions(suggestions=suggesting.suggestions(typed, form.seen), degraded=degraded)

    return router
