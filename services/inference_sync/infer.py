"""Tensors in, tensors out: `infer`, with the contract enforced before a model runs."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response

from models.contract import Arrays, Manifest, allowed_shape, check, fits
from models.refusal import ContractBroken
from services.chassis.logs import request_id
from services.inference_sync.asking import Askers, parameters
from services.inference_sync.known import known
from services.open_inference import (
    JSON_SIZE,
    Binary,
    TensorIn,
    read_request,
    read_tensors,
    split,
    write_answer,
    write_binary_answer,
)
from services.prediction import Prediction, PredictionRequest
from services.predictors import Predictors
from services.sources.memory import give_back

INLINE_BYTES = 64 * 1024
"""A body up to this size is decoded in less time than handing it to a thread takes to matter."""
LARGE_BYTES = 1024 * 1024


@dataclass(slots=True)
class Decoded:
    """A request that keeps the contract."""

    inputs: Arrays
    id: str | None
    wanted: Sequence[str]
    parameters: Mapping[str, Any]
    binary: Binary | None = None
    """Which outputs go as raw bytes; None: no output does."""

    @property
    def rows(self) -> int:
        """The batch size."""
        return int(next(iter(self.inputs.values())).shape[0])


def routes(predictors: Predictors, askers: Askers, max_batch: int) -> APIRouter:
    """`POST /v2/models/NAME[/versions/VERSION]/infer`."""
    router = APIRouter(prefix="/v2/models", tags=["inference"])

    @router.post("/{name}/infer")
    @router.post("/{name}/versions/{version}/infer", include_in_schema=False)
    async def infer(name: str, request: Request, version: str | None = None) -> Response:
        """Predict from tensors (JSON, or raw bytes behind it). Unfitting input is refused with where, what, allowed."""
        predictor, headers = known(predictors, name, version), dict(request.scope["headers"])
        body, json_size = await request.body(), request.headers.get(JSON_SIZE)
        asked = await decoded_anywhere(predictor.manifest, body, json_size, max_batch)
        context = askers.context(headers, request_id.get() or "")
        prediction = await predictor.predict(
            PredictionRequest(name, asked.inputs, parameters=parameters(headers, asked.parameters), context=context)
        )
        return answered(asked, prediction)

    return router


def answered(asked: Decoded, prediction: Prediction) -> Response:
    """In the form that was asked for."""
    if asked.binary is None:
        return Response(write_answer(prediction, asked.id, asked.wanted), media_type="application/json")
    body, json_size = write_binary_answer(prediction, asked.id, asked.wanted, asked.binary)
    if json_size is None:
        return Response(body, media_type="application/json")
    return Response(body, headers={JSON_SIZE: str(json_size)}, media_type="application/octet-stream")


async def decoded_anywhere(manifest: Manifest, body: bytes, json_size: str | None, max_batch: int) -> Decoded:
    """Here what is small, in a thread what is large."""
    if len(body) <= INLINE_BYTES:
        return decoded(manifest, body, json_size, max_batch)
    return await asyncio.to_thread(decoded_large, manifest, body, json_size, max_batch)


def decoded(manifest: Manifest, body: bytes, json_size: str | None, max_batch: int) -> Decoded:
    """The request and its arrays, held against the contract; raises ContractBroken."""
    head, tail = split(body, json_size)
    asked = read_request(head)
    check_wanted(manifest, asked.wanted)
    for tensor in asked.inputs:
        check_form(manifest, tensor, max_batch)
    inputs = read_tensors(asked.inputs, tail)
    check(manifest, inputs)
    binary = asked.binary if any(map(asked.binary, asked.wanted or [o.name for o in manifest.outputs])) else None
    return Decoded(inputs, asked.id, asked.wanted, asked.parameters, binary)


def decoded_large(manifest: Manifest, body: bytes, json_size: str | None, max_batch: int) -> Decoded:
    """The same; the lists that a large body becomes on the way are ten times its size."""
    try:
        return decoded(manifest, body, json_size, max_batch)
    finally:
        if len(body) > LARGE_BYTES:
            give_back()


def check_form(manifest: Manifest, tensor: TensorIn, max_batch: int) -> None:
    """What can be said before its values are looked at: millions of them need not be read to be refused."""
    where, spec = f"inputs.{tensor.name}", next((s for s in manifest.inputs if s.name == tensor.name), None)
    if spec is None:
        raise ContractBroken(where, "unknown input", ", ".join(spec.name for spec in manifest.inputs))
    if tensor.datatype != spec.datatype:
        raise ContractBroken(f"{where}.datatype", f"is {tensor.datatype[:20]}", spec.datatype)
    if not fits(spec, tensor.shape) or 0 in tensor.shape:
        raise ContractBroken(f"{where}.shape", f"is {tensor.shape[:8]}", allowed_shape(spec))
    if tensor.shape[0] > max_batch:
        raise ContractBroken(f"{where}.shape", f"{tensor.shape[0]} rows", f"at most {max_batch} rows in a request")


def check_wanted(manifest: Manifest, wanted: Sequence[str]) -> None:
    """Only outputs that exist can be asked for."""
    outputs = [spec.name for spec in manifest.outputs]
    for name in wanted:
        if name not in outputs:
            raise ContractBroken(f"outputs.{name}", "unknown output", ", ".join(outputs))
