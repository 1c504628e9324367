"""A host follows the platform's own MLflow server, not only what tests take for one."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry

from services.sources.disk_cache import DiskCache
from services.sources.mlflow_registry import MlflowRegistry
from services.sources.model_load import LoadMetrics, ModelLoad
from services.sources.threads import Threads
from tests.mlflow_server import mlflow as running_mlflow
from tests.services.sources.tiny import TINY, artefact

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


@pytest.fixture(scope="module")
def server(migrated: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_mlflow(migrated, tmp_path_factory.mktemp("mlflow")) as address:
        yield address


def register(server: str, folder: Path) -> None:
    """A version as the pipelines make it, champion at once."""
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    client = MlflowClient(server)
    try:
        client.create_registered_model("tiny")
        experiment = client.create_experiment("tiny")
    except MlflowException:
        experiment = client.get_experiment_by_name("tiny").experiment_id
    run = client.create_run(experiment)
    client.log_artifacts(run.info.run_id, str(folder), "model")
    tags = {"manifest_sha256": hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()}
    made = client.create_model_version("tiny", f"{run.info.artifact_uri}/model", run.info.run_id, tags=tags)
    client.set_registered_model_alias("tiny", "champion", made.version)


async def test_a_host_follows_the_alias(server: str, tmp_path: Path) -> None:
    async with httpx.AsyncClient() as http:
        host = ModelLoad(
            TINY.manifest,
            TINY.features,
            registry=MlflowRegistry(http, server),
            cache=DiskCache(tmp_path / "cache", "tiny"),
            threads=Threads(1, 1),
            metrics=LoadMetrics(CollectorRegistry()),
        )
        await host.look()
        assert host.trouble == "the registry has no champion"
        for number in ("1", "2"):
            register(server, artefact(tmp_path / number, seed=int(number)))
            await host.look()
            assert host.serving
            assert host.serving.release.version == number
