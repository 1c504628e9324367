"""Is the host there, is a model loaded: the protocol's questions."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from services.inference_sync.known import known
from services.predictors import Predictors

EXTENSIONS = ["model_repository", "binary_tensor_data", "predict"]
"""What the host can do beyond the protocol's core."""


def routes(predictors: Predictors) -> APIRouter:
    """`/v2`, `/v2/health/...`, `/v2/models/NAME/ready`."""
    router = APIRouter(prefix="/v2", tags=["inference"])

    @router.get("")
    async def server() -> dict[str, Any]:
        """The server and what it can do beyond the protocol's core."""
        return {
            "name": "inference-sync",
            "version": "2",
            "extensions": ["model_repository", "binary_tensor_data", "predict"],
        }

    @router.get("/health/live")
    async def live() -> dict[str, bool]:
        """The process answers."""
        return {"live": True}

    @router.get("/health/ready")
    async def ready() -> dict[str, bool]:
        """Requests are answered, be it by declared defaults."""
        return {"ready": True}

    @router.get("/models/{name}/ready")
    @router.get("/models/{name}/versions/{version}/ready", include_in_schema=False)
    async def model_ready(name: str, version: str | None = None) -> JSONResponse:
        """Whether a version of the model is loaded: 200, else 400 as the protocol has it."""
        predictor = known(predictors, name)
        loaded = predictor.version is not None and version in (None, predictor.version)
        body = {"name": name, "ready": loaded} | ({} if loaded else {"reason": predictor.source.trouble})
        return JSONResponse(body, 200 if loaded else 400)

    return router
