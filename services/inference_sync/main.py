"""Serves every champion over the Open Inference Protocol, and pictures and texts by a friendlier road."""

from pydantic import Field

from services.chassis.backends import Backends
from services.chassis.service import Service
from services.inference_sync import health, infer, predict, repository
from services.predictors import PredictorSettings, served


class InferenceSyncSettings(PredictorSettings):
    """Settings of this host."""

    max_body_bytes: int = Field(8 * 1024 * 1024, gt=0, description="Largest body that is taken.")
    max_batch: int = Field(64, gt=0, description="Most rows in one request.")
    predict_seconds: float = Field(2.0, gt=0, description="A model later than this is answered for by its default.")


def build(backends: Backends) -> Service:
    """model-load -> patterns -> REST."""
    settings = InferenceSyncSettings()
    service = Service(
        "inference-sync", backends, summary="Open Inference Protocol v2.", max_body_bytes=settings.max_body_bytes
    )
    predictors = served(service, settings, patience_seconds=settings.predict_seconds)
    for routes in (health.routes(predictors), repository.routes(predictors), predict.routes(predictors)):
        service.app.include_router(routes)
    service.app.include_router(infer.routes(predictors, settings.max_batch))
    return service
