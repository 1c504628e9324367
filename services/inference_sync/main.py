"""Serves every champion over the Open Inference Protocol, and pictures and texts by a friendlier road."""

from pydantic import Field

from services.chassis.backends import Backends
from services.chassis.service import Service
from services.inference_sync import health, infer, predict, repository
from services.inference_sync.asking import Askers
from services.inference_sync.fast_lane import FastLane
from services.inference_sync.rpc import Rpc, serve, server
from services.inference_sync.switches import Switches
from services.predictors import Predictors, PredictorSettings, served


class InferenceSyncSettings(PredictorSettings):
    """Settings of this host."""

    max_body_bytes: int = Field(8 * 1024 * 1024, gt=0, description="Largest body that is taken.")
    max_batch: int = Field(64, gt=0, description="Most rows in one request.")
    predict_seconds: float = Field(2.0, gt=0, description="A model later than this is answered for by its default.")
    grpc: bool = Field(True, description="Whether the protocol is offered over gRPC too.")
    switch_poll_seconds: float = Field(1.0, gt=0, description="How often it is looked which models are unloaded.")


def build(backends: Backends) -> Service:
    """model-load -> patterns -> REST."""
    settings = InferenceSyncSettings()
    service = Service(
        "inference-sync", backends, summary="Open Inference Protocol v2.", max_body_bytes=settings.max_body_bytes
    )
    predictors = served(service, settings, patience_seconds=settings.predict_seconds)
    switches = Switches(backends.maybe_database, predictors)
    offered(service, predictors, switches, max_batch=settings.max_batch, max_bytes=settings.max_body_bytes)
    if settings.grpc:
        rpc = Rpc(service, predictors, Askers(backends.maybe_verifier), switches, max_batch=settings.max_batch)
        service.background(lambda: serve(server(service, rpc, max_bytes=settings.max_body_bytes), settings.listen_host))
    if backends.maybe_database is not None:
        service.every(settings.switch_poll_seconds)(switches.follow)
        # Without the database a host answers as before; it only hears of no switching.
        service.ready_checks.pop("database", None)
    return service


def offered(service: Service, predictors: Predictors, switches: Switches, *, max_batch: int, max_bytes: int) -> None:
    """The predictors' HTTP face: FastAPI with everything, in front of it a lane for `infer`."""
    askers = Askers(service.backends.maybe_verifier)
    for routes in (
        health.routes(predictors),
        repository.routes(predictors, switches),
        predict.routes(predictors, askers),
        infer.routes(predictors, askers, max_batch),
    ):
        service.app.include_router(routes)
    service.front = FastLane(service.app, service, predictors, askers, max_batch=max_batch, max_bytes=max_bytes)
