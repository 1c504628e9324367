"""The friendly road: a picture file or a text in, labels out."""

from typing import Any

import orjson
from fastapi import APIRouter, Request

from models.languages import foreign
from services.chassis.errors import BadInput, Fault
from services.chassis.logs import request_id
from services.inference_sync.asking import Askers, parameters
from services.inference_sync.known import known
from services.predictors import Predictor, Predictors

BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "image/*": {"schema": {"type": "string", "format": "binary"}},
            "application/json": {
                "schema": {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
            },
        },
    }
}


def routes(predictors: Predictors, askers: Askers) -> APIRouter:
    """`POST /v2/models/NAME/predict`."""
    router = APIRouter(prefix="/v2/models", tags=["inference"])

    @router.post("/{name}/predict", openapi_extra=BODY)
    async def predict(name: str, request: Request) -> dict[str, Any]:
        """Send the bytes of a picture (JPEG, PNG, WebP; sniffed, not declared), or `{"text": "..."}`."""
        predictor, headers = known(predictors, name), dict(request.scope["headers"])
        body = await request.body()
        context, marks = askers.context(headers, request_id.get() or ""), parameters(headers)
        raw = text_of(body) if predictor.takes_text else body
        if predictor.takes_text:
            check_language(predictor, raw.decode())
        try:
            prediction, answer = await predictor.judge(raw, context, marks)
        except ValueError as error:
            raise BadInput(str(error), Fault(where="body", what=str(error), allowed=_allowed(predictor))) from error
        return {
            "id": str(prediction.id),
            "model": name,
            "version": prediction.version,
            "served_by": prediction.served_by,
            "reason": prediction.reason,
            **answer,
        }

    return router


def text_of(body: bytes) -> bytes:
    """The text in `{"text": "..."}`; raises BadInput."""
    try:
        text = orjson.loads(body)["text"]
        return str(text).encode() if isinstance(text, str) else _no_text()
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return _no_text()


def check_language(predictor: Predictor, text: str) -> None:
    """The model was made for some languages; raises BadInput for a text that can be in none of them."""
    languages = [language for spec in predictor.manifest.inputs for language in spec.language or ()]
    if scripts := foreign(text, languages):
        what = f"is written in {', '.join(scripts)}"
        allowed = f"a text in {' or '.join(languages)}"
        raise BadInput(f"The text {what}.", Fault(where="body.text", what=what, allowed=allowed))


def _no_text() -> bytes:
    raise BadInput(
        "The body is no JSON object with a text.", Fault(where="body.text", what="missing", allowed="a string")
    )


def _allowed(predictor: Predictor) -> str:
    return "a text" if predictor.takes_text else "a JPEG, PNG or WebP picture"
