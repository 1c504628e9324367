"""Suggestions while somebody registers: the quick model's at once, the deep model's when it has answered.

The page asks by script. Whatever rests here, the form works without: no answer is an empty list, never an error.
"""

import asyncio
import logging
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal
from urllib.parse import quote
from uuid import UUID

import httpx
import orjson
from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.datastructures import FormData
from starlette.responses import Response

from services.web.app import App
from services.web.faults import by_field
from services.web.language import Words
from services.web.remote import Refused, Resting, unless_resting
from services.web.uploading import sent, uploaded
from services.web.visit import OwnForm, SignedInVisit, Visit, text

log = logging.getLogger(__name__)

QUICK_SECONDS = 2.5
DEEP_SECONDS = 8.0
WORDS_SECONDS = 1.0
ATTRIBUTES_SECONDS = 3.0
LARGEST_ASKED = 7_500_000
"""Bytes of a picture that the proxy takes; of a larger one its smaller copy is asked about."""

MOST_TOLD = 40
"""Suggestions that go with a registration: as many as items takes."""

BY = {
    "words": "assist.by_words",
    "input_assist": "assist.by_input_assist",
    "image_quick": "assist.by_image_quick",
    "image_screening": "assist.by_image_screening",
    "object_attributes": "assist.by_object_attributes",
}

Told = dict[str, Any]


def routes(app: App) -> APIRouter:
    """`/register/picture`, `/register/refined`, `/register/suggestions`: for the script of the page."""
    router = APIRouter(include_in_schema=False)

    @router.post("/register/picture")
    async def _picture(visit: SignedInVisit, form: OwnForm) -> Response:
        """Keep the picture, and what the quick model sees in it."""
        try:
            image_id, content = await _kept(app, visit, form)
        except Refused as refused:
            fault = by_field(refused, ("file",), app.words(visit), "file")
            return JSONResponse({"fault": next(iter(fault.values()))}, 422)
        except Resting:
            return JSONResponse({})
        job = await unless_resting(_asked(app, visit, image_id, content), None)
        return await _answer(app, visit, form, job, {"image_id": image_id})

    @router.post("/register/refined")
    async def _refined(visit: SignedInVisit, form: OwnForm) -> Response:
        """Wait for what the deep models see in it."""
        job, attributes = await asyncio.gather(
            _ended(app, visit, text(form, "job")),
            unless_resting(_attributes(app, visit, text(form, "image_id")), None),
        )
        return await _answer(app, visit, form, job, {}, attributes)

    @router.post("/register/suggestions")
    async def _suggestions(visit: SignedInVisit, form: OwnForm) -> Response:
        """What is typed has changed."""
        seen = _json(text(form, "seen"))
        found = await _suggested(app, visit, form, seen if isinstance(seen, dict) else {})
        return JSONResponse({"suggestions": found})

    return router


class Offered(BaseModel):
    """A suggestion that was on the form, as the page sends it back and as items takes it."""

    model_config = ConfigDict(extra="ignore", protected_namespaces=())
    field: Literal["category", "title", "tag"]
    value: str = Field(min_length=1, max_length=120, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")
    model: str = Field(pattern="^[a-z0-9_]{1,64}$")
    prediction_id: UUID | None = None


def offered(form: FormData) -> list[Told]:
    """What was suggested, as far as it can be read: a page that tells nonsense registers all the same."""
    told = _json(text(form, "suggestions"))
    return list(_readable(told))[-MOST_TOLD:] if isinstance(told, list) else []


def _readable(told: Iterable[Any]) -> Iterator[Told]:
    for one in told:
        try:
            yield Offered.model_validate(one).model_dump(mode="json")
        except ValidationError:
            continue


async def _kept(app: App, visit: Visit, form: FormData) -> tuple[str, bytes]:
    file = await sent(app, form)
    if file is None:
        raise Refused(status=400)
    content = await file.read()
    return await uploaded(app, visit, file, content), content


async def _asked(app: App, visit: Visit, image_id: str, content: bytes) -> Told:
    """The proxy's job, with the quick answer."""
    if len(content) > LARGEST_ASKED:
        content = await _smaller(app, visit, image_id)
    job: Told = await app.remote.json(
        "proxy",
        "POST",
        "/api/proxy/predict",
        content=content,
        headers={"content-type": "application/octet-stream"},
        token=visit.token,
        within=QUICK_SECONDS,
    )
    return job


async def _smaller(app: App, visit: Visit, image_id: str) -> bytes:
    path = f"/api/images/{quote(image_id, safe='')}/large"
    return (await app.remote.send("images", "GET", path, token=visit.token)).content


async def _ended(app: App, visit: Visit, job_id: str) -> Told | None:
    """The job when the deep model has answered; as it stands when that takes too long."""
    path = f"/api/proxy/jobs/{quote(job_id, safe='')}/events"
    told: Told | None = None
    try:
        async with asyncio.timeout(DEEP_SECONDS):
            coming = await app.remote.open(
                "proxy", path, token=visit.token, headers={"accept": "text/event-stream"}, read_timeout=DEEP_SECONDS
            )
            try:
                async for line in coming.aiter_lines():
                    if coming.status_code == httpx.codes.OK and line.startswith("data:"):
                        told = orjson.loads(line.removeprefix("data:"))
            finally:
                await coming.aclose()
    except (TimeoutError, httpx.HTTPError, Resting, ValueError) as error:
        log.info("no refined answer yet: %r", error, extra={"action": "assist.late"})
    return told


async def _attributes(app: App, visit: Visit, image_id: str) -> Told:
    """What the detector counts, as `seen` has it; nothing where it has not answered."""
    answer = await app.remote.json(
        "inference-sync",
        "POST",
        "/v2/models/object_attributes/predict",
        content=await _smaller(app, visit, image_id),
        headers={"content-type": "application/octet-stream"},
        token=visit.token,
        within=ATTRIBUTES_SECONDS,
    )
    if answer["served_by"] != "model":
        return {}
    told = answer["attributes"]
    return _by(answer) | {name: told[name] for name in ("count", "brightness", "place")}


async def _answer(
    app: App, visit: Visit, form: FormData, job: Told | None, more: Told, attributes: Told | None = None
) -> Response:
    """What there is to suggest, and what the page needs to ask on."""
    seen, refined = seen_in(job)
    if attributes and attributes.get("count") is not None:
        seen["attributes"] = attributes
    told = {
        "suggestions": await _suggested(app, visit, form, seen),
        "seen": seen,
        "job": job["id"] if job else "",
        "refined": refined,
        "pending": bool(job and job["state"] == "pending"),
    }
    return JSONResponse(more | told)


def seen_in(job: Mapping[str, Any] | None) -> tuple[Told, bool]:
    """The deep model's categories where it has answered, else the quick one's; and whether it was the deep one."""
    for which in ("slow", "fast"):
        answer = job.get(which) if job else None
        if answer and answer.get("served_by") == "model" and answer.get("category"):
            top = [{name: one[name] for name in ("label", "score")} for one in answer["category"]["top"]]
            return {"category": _by(answer) | {"top": top}}, which == "slow"
    return {}, False


def _by(answer: Mapping[str, Any]) -> Told:
    return {"model": answer["model"], "id": answer["id"]}


async def _suggested(app: App, visit: Visit, form: FormData, seen: Told) -> list[Told]:
    """The suggestions of texts, with the words that the page shows."""
    asked = {
        "title": text(form, "title")[:120],
        "description": text(form, "description")[:2000].replace("\r\n", "\n"),
        "language": visit.language,
        "seen": seen,
    }
    answer = await unless_resting(
        app.remote.json("texts", "POST", "/api/texts/suggest", json=asked, token=visit.token, within=WORDS_SECONDS),
        {"suggestions": []},
    )
    words = app.words(visit)
    return [one | {"text": _text(one, words), "by": _named(one["model"], words)} for one in answer["suggestions"]]


def _text(one: Mapping[str, Any], words: Words) -> str:
    """What stands on the button."""
    if one["field"] == "tag":
        return f"#{one['shown']}"
    score = one.get("score")
    return str(one["shown"]) if score is None else words("assist.sure", what=one["shown"], percent=round(100 * score))


def _named(model: str, words: Words) -> str:
    """Whose suggestion it is, in the visitor's words."""
    return words.either(BY.get(model, ""), otherwise=model)


def _json(raw: str) -> Any:
    try:
        return orjson.loads(raw or "{}")
    except orjson.JSONDecodeError:
        return {}
