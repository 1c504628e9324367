"""The two questions texts answers: what is this filed under, what is asked for."""

import asyncio
from dataclasses import asdict
from typing import Annotated

from fastapi import FastAPI
from pydantic import AfterValidator, BaseModel, Field

from services.texts.attributes import Brightness, Place, Where
from services.texts.spelling import Language, control_character
from services.texts.terms import Asked, Terms

MAX_TEXT = 4000
MAX_TEXTS = 64
MAX_QUERY = 200
IN_PASSING = 500
"""So many characters take less than a millisecond; more are read in a thread."""


def _printable(text: str) -> str:
    at = control_character(text)
    if at is not None:
        raise ValueError(f"a control character at position {at}")
    return text


Text = Annotated[str, Field(max_length=MAX_TEXT), AfterValidator(_printable)]
QueryText = Annotated[str, Field(max_length=MAX_QUERY), AfterValidator(_printable)]


class TextsToIndex(BaseModel):
    """Texts of any language."""

    texts: list[Text] = Field(min_length=1, max_length=MAX_TEXTS, examples=[["ねこの写真", "Two cats"]])


class TermsOfText(BaseModel):
    """What one text is filed under."""

    language: Language
    terms: list[str]


class TermsOfTexts(BaseModel):
    """One result a text, in order; `vocabulary` changes when the rules do."""

    vocabulary: str
    results: list[TermsOfText]


class Query(BaseModel):
    """What somebody typed."""

    q: QueryText = Field(examples=["かわいい子猫"])


class AttributesWanted(BaseModel):
    """What the picture should show besides its words, as far as the query says."""

    count: int | None = Field(description="How many.")
    at_least: bool = Field(description="So many or more.")
    where: list[Where]
    brightness: Brightness | None
    place: Place | None
    said: dict[str, list[str]] = Field(description="For each of them the terms of a text that says the same.")


class UnfamiliarWord(BaseModel):
    """A word that the vocabulary does not know, as it was typed."""

    word: str
    groups: list[int] = Field(description="Places of the groups that are made of it.")


class QueryRespelt(BaseModel):
    """The query without its slips of the pen."""

    query: str
    groups: list[list[str]]
    broader: list[list[str]]
    category: str | None


class QueryUnderstood(BaseModel):
    """Each group is a word of the query with its alternatives: all groups are wanted, one term of each is enough.

    `broader` has a group for each of them with what it is a kind of as well, for when that finds too little. Words
    that became attributes are in no group: they rank what is found and leave nothing out.
    """

    language: Language
    groups: list[list[str]]
    broader: list[list[str]]
    category: str | None = Field(description="The category that a word of the query names.")
    attributes: AttributesWanted | None = None
    unfamiliar: list[UnfamiliarWord] = []
    respelt: QueryRespelt | None = Field(None, description="What was meant, if words of it look like slips of the pen.")


def add_routes(app: FastAPI, terms: Terms) -> None:
    """Declare the routes."""

    @app.post("/api/texts/terms", summary="What texts are filed under")
    async def _terms(request: TextsToIndex) -> TermsOfTexts:
        long = sum(map(len, request.texts)) > IN_PASSING
        results = await asyncio.to_thread(_filed, terms, request.texts) if long else _filed(terms, request.texts)
        return TermsOfTexts(vocabulary=terms.version, results=results)

    @app.post("/api/texts/query", summary="What a query asks for")
    async def _query(request: Query) -> QueryUnderstood:
        asked = terms.of_query(request.q)
        return QueryUnderstood(
            language=asked.language,
            groups=asked.groups,
            broader=asked.broader,
            category=asked.category,
            attributes=_attributes(asked),
            unfamiliar=[UnfamiliarWord(**asdict(one)) for one in asked.unfamiliar],
            respelt=QueryRespelt(**asdict(asked.respelt)) if asked.respelt else None,
        )


def _attributes(asked: Asked) -> AttributesWanted | None:
    if not asked.wanted:
        return None
    return AttributesWanted(**asdict(asked.wanted) | {"where": list(asked.wanted.where), "said": asked.said})


def _filed(terms: Terms, texts: list[str]) -> list[TermsOfText]:
    found = (terms.of_text(text) for text in texts)
    return [TermsOfText(language=language, terms=names) for language, names in found]
