"""What is served: metadata of each model, and the index with each version's lineage."""

from typing import Any

import orjson
from fastapi import APIRouter, Request

from models.contract import Manifest, TensorSpec
from services.chassis.auth import Operator
from services.chassis.errors import BadInput, Fault
from services.inference_sync.known import known
from services.inference_sync.switches import Switches
from services.predictors import Predictor, Predictors


def routes(predictors: Predictors, switches: Switches) -> APIRouter:
    """`GET /v2/models/NAME`, `POST /v2/repository/index`, `POST /v2/repository/models/NAME/{load,unload}`."""
    router = APIRouter(prefix="/v2", tags=["inference"])

    @router.get("/models/{name}")
    @router.get("/models/{name}/versions/{version}", include_in_schema=False)
    async def metadata(name: str, version: str | None = None) -> dict[str, Any]:
        """Inputs and outputs of a model, and in `parameters` its contract in full."""
        return described(known(predictors, name, version))

    @router.post("/repository/index")
    async def index(request: Request) -> list[dict[str, Any]]:
        """Every model, whether it is loaded, and where its version comes from. `{"ready": true}`: only loaded ones."""
        only_ready = wants_only_ready(await request.body())
        return [indexed(p) for p in predictors.values() if p.version or not only_ready]

    @router.post("/repository/models/{name}/load")
    async def load(name: str, caller: Operator) -> dict[str, Any]:
        """Take a model into service again, in every replica. For operators."""
        await switches.load(known(predictors, name), caller.name)
        return {}

    @router.post("/repository/models/{name}/unload")
    async def unload(name: str, caller: Operator) -> dict[str, Any]:
        """Take a model out of service, in every replica: its declared default answers. For operators."""
        await switches.unload(known(predictors, name), caller.name)
        return {}

    return router


def wants_only_ready(body: bytes) -> bool:
    """What the optional body of the index asks for; raises BadInput."""
    try:
        return bool(orjson.loads(body or b"{}").get("ready"))
    except (orjson.JSONDecodeError, AttributeError) as error:
        raise BadInput("The body is no JSON object.", Fault(where="body", what="no object", allowed="{}")) from error


def described(predictor: Predictor) -> dict[str, Any]:
    """Model metadata as the protocol has it."""
    manifest = predictor.manifest
    return {
        "name": predictor.name,
        "versions": [predictor.version] if predictor.version else [],
        "platform": "onnxruntime_onnx",
        "inputs": [tensor(spec) for spec in manifest.inputs],
        "outputs": [tensor(spec) for spec in manifest.outputs],
        "parameters": contract(manifest),
    }


def tensor(spec: TensorSpec) -> dict[str, Any]:
    """A tensor as the protocol has it, with what it means."""
    return {
        "name": spec.name,
        "datatype": spec.datatype,
        "shape": list(spec.shape),
        "parameters": spec.model_dump(mode="json", exclude={"name", "datatype", "shape"}, exclude_none=True),
    }


def contract(manifest: Manifest) -> dict[str, Any]:
    """The rest of the manifest."""
    left_out = {"name", "inputs", "outputs", "files", "samples", "reference"}
    return manifest.model_dump(mode="json", exclude=left_out, exclude_none=True)


def indexed(predictor: Predictor) -> dict[str, Any]:
    """One line of the index."""
    lineage = predictor.manifest.lineage
    shown = {
        "git_commit",
        "author",
        "purpose",
        "approver",
        "dirty",
        "trained_at",
        "expires_at",
        "metrics",
        "data_sha256",
    }
    return {
        "name": predictor.name,
        "title": predictor.manifest.title,
        "version": predictor.version or "",
        "state": "READY" if predictor.version else "UNAVAILABLE",
        "reason": predictor.source.trouble,
        "lineage": lineage.model_dump(mode="json", include=shown) if lineage else None,
    }
