"""The image builder: every champion, and any version on demand, becomes an image that needs no model registry."""

from pathlib import Path

from pydantic import Field

from services.chassis.backends import Backends
from services.chassis.ports import PORTS
from services.chassis.service import Service
from services.chassis.settings import Settings
from services.image_builder.base import read_base
from services.image_builder.building import Builder, BuildMetrics
from services.image_builder.champions import Champions
from services.image_builder.destination import Destination
from services.image_builder.layout import Layout
from services.image_builder.registry import Registry
from services.image_builder.routes import routes
from services.sources.mlflow_registry import MlflowRegistry


class ImageBuilderSettings(Settings):
    """Where models come from and images go."""

    mlflow_tracking_uri: str = Field("http://mlflow:8300", description="Where models are registered.")
    registry_url: str | None = Field(None, description="The registry of images; without it, IMAGE_LAYOUT is written.")
    registry_public: str = Field(
        f"localhost:{PORTS['registry']}", description="The registry's name for who pulls: `localhost:PORT`."
    )
    image_layout: Path = Field(Path("/images"), description="Folder in the OCI layout, where there is no registry.")
    base_folder: Path = Field(Path("/base"), description="The layers that all images share.")
    follow_champions: bool = Field(True, description="Whether every new champion is built by itself.")
    champion_poll_seconds: float = Field(5.0, gt=0, description="How often the champions are looked at.")


def build(backends: Backends) -> Service:
    """model registry -> verified artefact -> image -> registry of images."""
    settings = ImageBuilderSettings()
    service = Service("image-builder", backends, summary="Images with a model inside.")
    builder = Builder(
        models=MlflowRegistry(backends.http, settings.mlflow_tracking_uri),
        database=backends.database,
        destination=_destination(settings, backends),
        base=read_base(settings.base_folder),
        base_folder=settings.base_folder,
        metrics=BuildMetrics(service.metrics.registry),
    )
    service.app.include_router(routes(builder))
    if settings.follow_champions:
        champions = Champions.of(builder, service.metrics.registry)
        service.every(settings.champion_poll_seconds)(champions.look)
    return service


def _destination(settings: ImageBuilderSettings, backends: Backends) -> Destination:
    if settings.registry_url:
        return Registry(backends.http, settings.registry_url, settings.registry_public)
    return Layout(settings.image_layout)
