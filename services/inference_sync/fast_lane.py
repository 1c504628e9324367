"""The fast lane: `infer` in front of FastAPI, with the contract, the patterns and the answers of `infer.py`.

A usual request to a small model is answered at once (`_Lane`). Any other of a known model is a plain ASGI call, and
what is wrong with a request that road's decoder says.
"""

from collections.abc import Callable
from functools import cache, partial
from time import perf_counter
from typing import Any

from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from models.contract import Manifest
from services.chassis import errors
from services.chassis.at_once import Answer
from services.chassis.http import App, Receive, Scope, Send
from services.chassis.ids import as_text, new_id
from services.chassis.logs import request_id
from services.chassis.service import Service
from services.inference_sync.asking import Askers, Headers, asked_by, parameters
from services.inference_sync.infer import Decoded, answered, decoded_anywhere
from services.inference_sync.quick import Quick
from services.inference_sync.usual import Reader, reader
from services.open_inference import JSON_SIZE, MOST_LISTS, write_answer
from services.prediction import PredictionRequest
from services.predictors import Predictor, Predictors

ROUTE = "/v2/models/{name}/infer"
JSON = (b"content-type", b"application/json")
RAW_FOLLOWS = JSON_SIZE.encode()


class FastLane:
    """Takes `infer` of known models; everything else goes on to the app."""

    def __init__(
        self, app: App, service: Service, predictors: Predictors, askers: Askers, *, max_batch: int, max_bytes: int
    ) -> None:
        self._app, self._service, self._max_bytes = app, service, max_bytes
        self._count = cache(service.metrics.requests.labels)
        self._observe = service.metrics.request_seconds.labels("POST", ROUTE).observe
        done = partial(self._done, 200)
        self._lanes = {
            ROUTE.format(name=name): _Lane(predictor, askers, max_batch, done) for name, predictor in predictors.items()
        }
        service.lanes |= {path.encode(): lane.at_once for path, lane in self._lanes.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        lane = self._lanes.get(scope.get("path", ""))
        if lane is None or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        started, headers = perf_counter(), dict(scope["headers"])
        asker = asked_by(headers) or as_text(new_id())
        request_id.set(asker)
        try:
            body = await body_of(receive, headers, self._max_bytes)
            if answer := lane.at_once(headers, body):
                await _send_json(answer, send)
                return
            response = await lane.answer(headers, body, asker)
        except ClientDisconnect:
            return
        except Exception as error:
            scope["app"] = self._service.app
            response = await errors.answer(Request(scope), error)
        response.headers["x-request-id"] = asker
        await response(scope, receive, send)
        self._done(response.status_code, started)

    def _done(self, status: int, started: float) -> None:
        self._count("POST", ROUTE, str(status)).inc()
        self._observe(perf_counter() - started)


class _Lane:
    """`infer` of one model."""

    def __init__(self, predictor: Predictor, askers: Askers, max_batch: int, done: Callable[[float], None]) -> None:
        self._predictor, self._askers, self._max_batch, self._done = predictor, askers, max_batch, done
        self._quick = Quick(predictor, askers)
        self._manifest: Manifest | None = None
        self._read: Reader = _nothing

    def at_once(self, headers: Headers, body: bytes) -> Answer | None:
        """The answer, if that of a usual request waits for nothing. None: ask in the other way, which tells why."""
        started = perf_counter()
        asked = self._usual(headers, body)
        if asked is None:
            return None
        try:
            answer = self._quick.answer(headers, asked.inputs, asked.rows)
            if answer is None:
                return None
            content = write_answer(answer[1], asked.id)
        except Exception:  # the other way asks again, and tells what is wrong
            return None
        self._done(started)
        return answer[0], content

    async def answer(self, headers: Headers, body: bytes, asker: str) -> Any:
        """The answer to any request; raises what is wrong with it."""
        asked = self._usual(headers, body) or await self._other(headers, body)
        context, marks = self._askers.context(headers, asker), parameters(headers, asked.parameters)
        request = PredictionRequest(self._predictor.name, asked.inputs, parameters=marks, context=context)
        return answered(asked, await self._predictor.predict(request))

    def _usual(self, headers: Headers, body: bytes) -> Decoded | None:
        """What a request asks that keeps the contract and is like most; None: look closer."""
        if RAW_FOLLOWS in headers or len(body) > MOST_LISTS:
            return None
        manifest = self._predictor.manifest
        if manifest is not self._manifest:
            self._manifest, self._read = manifest, reader(manifest, self._max_batch)
        return self._read(body)

    async def _other(self, headers: Headers, body: bytes) -> Decoded:
        size = headers[RAW_FOLLOWS].decode("latin-1") if RAW_FOLLOWS in headers else None
        return await decoded_anywhere(self._predictor.manifest, body, size, self._max_batch)


def _nothing(body: bytes) -> Decoded | None:
    return None


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


async def _send_json(answer: Answer, send: Send) -> None:
    asker, content = answer
    about = [JSON, (b"content-length", b"%d" % len(content)), (b"x-request-id", asker.encode())]
    await send({"type": "http.response.start", "status": 200, "headers": about})
    await send({"type": "http.response.body", "body": content})
