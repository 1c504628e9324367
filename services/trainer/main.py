"""The trainer: runs the pipelines, at start for what has no champion, later on demand, and records which."""

from pathlib import Path

from prometheus_client import Counter
from pydantic import Field

from services.champions import Champions
from services.chassis.backends import Backends
from services.chassis.service import Service
from services.chassis.settings import Settings
from services.trainer.models import model_routes
from services.trainer.repro import Places
from services.trainer.routes import routes
from services.trainer.training import Trainer

ROOT = Path(__file__).parents[2]


class TrainerSettings(Settings):
    """Where to train, from which sources, and what must be there."""

    mlflow_tracking_uri: str = Field("http://mlflow:8300", description="Where models are registered.")
    source_dir: Path = Field(ROOT, description="The source tree, with its .git if there is one.")
    trainer_workspace: Path = Field(Path("/trainer/workspace"), description="Folder where DVC works.")
    dvc_cache: Path | None = Field(None, description="DVC's cache; without it, one inside the workspace.")
    required_models: str = Field(
        "image_screening,image_quick,text_violation", description="What must have a champion for us to be ready."
    )
    trainer_also: str = Field("seed_items", description="Pipelines without a model that are made at start too.")
    train_the_rest: bool = Field(
        True, description="Whether models that are not required are trained too, one by one, when nothing else is."
    )
    trainer_processes: int = Field(2, ge=1, description="How many pipelines run at the same time, at most.")


def build(backends: Backends) -> Service:
    """The trainer on these backends."""
    settings = TrainerSettings()
    service = Service("trainer", backends, summary="Training runs: what was trained, why, and how it went.")
    workspace = settings.trainer_workspace.absolute()
    trainer = Trainer(
        database=backends.database,
        champions=Champions(backends.http, settings.mlflow_tracking_uri),
        places=Places(workspace, settings.source_dir.absolute(), settings.mlflow_tracking_uri),
        cache=(settings.dvc_cache or workspace / ".dvc" / "cache").absolute(),
        required=names(settings.required_models),
        also=names(settings.trainer_also),
        the_rest=settings.train_the_rest,
        processes=settings.trainer_processes,
        ended=Counter("trainer_runs", "Training runs that ended.", ["state"], registry=service.metrics.registry),
    )
    for state in ("succeeded", "failed"):
        trainer.ended.labels(state)
    service.app.include_router(routes(trainer))
    service.app.include_router(model_routes(trainer))
    service.background(trainer.run)

    async def _models() -> None:
        if missing := [*await trainer.missing(), *await trainer.unmade()]:
            raise NotThereYet(", ".join(missing))

    service.ready_checks["models"] = _models
    return service


class NotThereYet(Exception):
    """Something that must be made has not been made yet."""


def names(listed: str) -> list[str]:
    """`a,b` as a list."""
    return [name.strip() for name in listed.split(",") if name.strip()]
