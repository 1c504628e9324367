"""The fast lane: `infer` as one plain ASGI function in front of FastAPI.

Same contract (`check`), same patterns, same answers as the other road (`infer.py`). What it does not take in at once
(raw bytes, chosen outputs, large bodies, mistakes) that road's decoder reads, or says what is wrong with it.
"""

from array import array
from functools import cache
from time import perf_counter
from typing import Annotated, Any

import msgspec
import numpy as np
from fastapi import Request
from msgspec import UNSET
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from models.contract import DTYPES, Manifest, check
from models.refusal import ContractBroken
from services.chassis import errors
from services.chassis.http import App, Receive, Scope, Send, usable
from services.chassis.ids import as_text, new_id
from services.chassis.logs import request_id
from services.chassis.service import Service
from services.inference_sync.asking import Askers, Headers, parameters
from services.inference_sync.infer import Decoded, answered, decoded_anywhere
from services.open_inference import JSON_SIZE, MOST_LISTS, write_answer
from services.prediction import PredictionRequest
from services.predictors import Predictors

ROUTE = "/v2/models/{name}/infer"
JSON = (b"content-type", b"application/json")
RAW_FOLLOWS = JSON_SIZE.encode()
CODES = {"FP32": "f", "INT32": "i", "INT64": "q", "UINT8": "B"}


class Tensor(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """One input; its values are read when the contract has told their type."""

    name: str
    datatype: str
    shape: list[int]
    data: msgspec.Raw
    parameters: Any = UNSET


class Asked(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """What most requests have."""

    inputs: list[Tensor]
    id: Annotated[str, msgspec.Meta(max_length=200)] | None = None
    outputs: Any = UNSET
    parameters: Any = UNSET


_asked = msgspec.json.Decoder(Asked)
_values: dict[str, msgspec.json.Decoder[Any]] = {
    name: msgspec.json.Decoder(list[float] if code == "f" else list[int]) for name, code in CODES.items()
}


class Strange(Exception):
    """A request unlike most."""


class FastLane:
    """Takes `infer` of known models; everything else goes on to the app."""

    def __init__(
        self, app: App, service: Service, predictors: Predictors, askers: Askers, *, max_batch: int, max_bytes: int
    ) -> None:
        self._app, self._service, self._askers = app, service, askers
        self._max_batch, self._max_bytes = max_batch, max_bytes
        self._predictors = {f"/v2/models/{name}/infer": predictor for name, predictor in predictors.items()}
        self._count = cache(service.metrics.requests.labels)
        self._observe = service.metrics.request_seconds.labels("POST", ROUTE).observe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        predictor = self._predictors.get(scope.get("path", ""))
        if predictor is None or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        started, headers, new = perf_counter(), dict(scope["headers"]), new_id()
        given = headers.get(b"x-request-id")
        asker = (usable(given.decode("latin-1")) if given else None) or as_text(new)
        request_id.set(asker)
        try:
            body = await body_of(receive, headers, self._max_bytes)
            asked = await self._decoded(predictor.manifest, body, headers)
            context, marks = self._askers.context(headers, asker), parameters(headers, asked.parameters)
            prediction = await predictor.predict(PredictionRequest(predictor.name, asked.inputs, new, marks, context))
            if asked.binary is None:
                status, content = 200, write_answer(prediction, asked.id, asked.wanted)
                about = [JSON, (b"content-length", b"%d" % len(content)), (b"x-request-id", asker.encode())]
                await send({"type": "http.response.start", "status": 200, "headers": about})
                await send({"type": "http.response.body", "body": content})
            else:
                status = await _send(answered(asked, prediction), asker, scope, receive, send)
        except ClientDisconnect:
            return
        except Exception as error:
            scope["app"] = self._service.app
            status = await _send(await errors.answer(Request(scope), error), asker, scope, receive, send)
        self._count("POST", ROUTE, str(status)).inc()
        self._observe(perf_counter() - started)

    async def _decoded(self, manifest: Manifest, body: bytes, headers: Headers) -> Decoded:
        raw_follows = headers.get(RAW_FOLLOWS)
        if raw_follows is None and len(body) <= MOST_LISTS:
            try:
                return taken_in(manifest, body, self._max_batch)
            except (Strange, ContractBroken, ValueError, OverflowError, RecursionError):
                pass
        size = raw_follows.decode("latin-1") if raw_follows is not None else None
        return await decoded_anywhere(manifest, body, size, self._max_batch)


async def body_of(receive: Receive, headers: Headers, limit: int) -> bytes:
    """The whole body, if it is not too large."""
    length = headers.get(b"content-length", b"")
    size, parts, more = int(length) if length.isdigit() and int(length) > limit else 0, [], True
    while more and size <= limit:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        parts.append(message.get("body", b""))
        size, more = size + len(parts[-1]), message.get("more_body", False)
    if size > limit:
        raise HTTPException(413, f"At most {limit} bytes are taken.")
    return parts[0] if len(parts) == 1 else b"".join(parts)


def taken_in(manifest: Manifest, body: bytes, max_batch: int) -> Decoded:
    """A request that keeps the contract; raises one of several exceptions for any other, without a reason to show."""
    asked = _asked.decode(body)
    if asked.outputs is not UNSET or asked.parameters is not UNSET or len(asked.inputs) != len(manifest.inputs):
        raise Strange
    inputs = {}
    for spec, tensor in zip(manifest.inputs, asked.inputs, strict=True):
        if tensor.name != spec.name or tensor.datatype != spec.datatype or tensor.parameters is not UNSET:
            raise Strange
        shape, code = tensor.shape, CODES.get(spec.datatype)
        if code is None or min(shape, default=0) < 1 or shape[0] > max_batch:
            raise Strange
        values = array(code, _values[spec.datatype].decode(tensor.data))
        inputs[spec.name] = np.frombuffer(values, DTYPES[spec.datatype]).reshape(shape)
    check(manifest, inputs)
    return Decoded(inputs, asked.id, (), {})


async def _send(response: Any, asker: str, scope: Scope, receive: Receive, send: Send) -> int:
    response.headers["x-request-id"] = asker
    await response(scope, receive, send)
    return int(response.status_code)
