"""Tensors in, tensors out: `infer`, with the contract enforced before a model runs."""

import asyncio
from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request, Response
from numpy.typing import NDArray

from models.contract import ContractBroken, Manifest, check
from services.inference_sync.known import known
from services.open_inference import InferRequest, read_request, read_tensors, write_answer
from services.prediction import PredictionRequest
from services.predictors import Predictors

INLINE_BYTES = 64 * 1024
"""A body up to this size is decoded in less time than handing it to a thread takes to matter."""

Decoded = tuple[InferRequest, dict[str, NDArray[Any]]]


def routes(predictors: Predictors, max_batch: int) -> APIRouter:
    """`POST /v2/models/NAME[/versions/VERSION]/infer`."""
    router = APIRouter(prefix="/v2/models", tags=["inference"])

    @router.post("/{name}/infer")
    @router.post("/{name}/versions/{version}/infer", include_in_schema=False)
    async def infer(name: str, request: Request, version: str | None = None) -> Response:
        """Predict from tensors (JSON). Unfitting input is refused with where, what and what is allowed."""
        predictor = known(predictors, name, version)
        manifest, body = predictor.manifest, await request.body()
        if "inference-header-content-length" in request.headers:
            raise ContractBroken("body", "binary tensors", "JSON tensors")
        if len(body) <= INLINE_BYTES:
            asked, inputs = decoded(manifest, body, max_batch)
        else:
            asked, inputs = await asyncio.to_thread(decoded, manifest, body, max_batch)
        prediction = await predictor.predict(PredictionRequest(name, inputs, parameters=asked.parameters))
        return Response(write_answer(prediction, asked.id, asked.wanted), media_type="application/json")

    return router


def decoded(manifest: Manifest, body: bytes, max_batch: int) -> Decoded:
    """The request and its arrays, held against the contract; raises ContractBroken."""
    asked = read_request(body)
    check_wanted(manifest, asked.wanted)
    inputs = read_tensors(asked.inputs)
    check(manifest, inputs)
    rows = max(array.shape[0] for array in inputs.values())
    if rows > max_batch:
        raise ContractBroken("inputs", f"{rows} rows", f"at most {max_batch} rows in a request")
    return asked, inputs


def check_wanted(manifest: Manifest, wanted: Sequence[str]) -> None:
    """Only outputs that exist can be asked for."""
    outputs = [spec.name for spec in manifest.outputs]
    for name in wanted:
        if name not in outputs:
            raise ContractBroken(f"outputs.{name}", "unknown output", ", ".join(outputs))
