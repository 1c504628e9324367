"""Tensors in, tensors out: `infer`, with the contract enforced before a model runs."""

import asyncio
from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request, Response
from numpy.typing import NDArray

from models.contract import Manifest, check
from models.refusal import ContractBroken
from services.inference_sync.known import known
from services.open_inference import InferRequest, TensorIn, read_request, read_tensors, write_answer
from services.prediction import PredictionRequest
from services.predictors import Predictors
from services.sources.memory import give_back

INLINE_BYTES = 64 * 1024
"""A body up to this size is decoded in less time than handing it to a thread takes to matter."""
LARGE_BYTES = 1024 * 1024

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
            asked, inputs = await asyncio.to_thread(decoded_large, manifest, body, max_batch)
        prediction = await predictor.predict(PredictionRequest(name, inputs, parameters=asked.parameters))
        return Response(write_answer(prediction, asked.id, asked.wanted), media_type="application/json")

    return router


def decoded(manifest: Manifest, body: bytes, max_batch: int) -> Decoded:
    """The request and its arrays, held against the contract; raises ContractBroken."""
    asked = read_request(body)
    check_wanted(manifest, asked.wanted)
    for tensor in asked.inputs:
        check_form(manifest, tensor, max_batch)
    inputs = read_tensors(asked.inputs)
    check(manifest, inputs)
    return asked, inputs


def decoded_large(manifest: Manifest, body: bytes, max_batch: int) -> Decoded:
    """The same; the lists that a large body becomes on the way are ten times its size."""
    try:
        return decoded(manifest, body, max_batch)
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
    fits = len(tensor.shape) == len(spec.shape) and all(
        given >= 1 and wanted in (-1, given) for wanted, given in zip(spec.shape, tensor.shape, strict=True)
    )
    if not fits:
        raise ContractBroken(f"{where}.shape", f"is {tensor.shape[:8]}", f"{list(spec.shape)}, -1 is at least 1")
    if tensor.shape[0] > max_batch:
        raise ContractBroken(f"{where}.shape", f"{tensor.shape[0]} rows", f"at most {max_batch} rows in a request")


def check_wanted(manifest: Manifest, wanted: Sequence[str]) -> None:
    """Only outputs that exist can be asked for."""
    outputs = [spec.name for spec in manifest.outputs]
    for name in wanted:
        if name not in outputs:
            raise ContractBroken(f"outputs.{name}", "unknown output", ", ".join(outputs))
