"""The lean MLflow server does what the platform asks of it, by its REST API and by its own client."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.mlflow_server import mlflow

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
API = "/api/2.0/mlflow"


@pytest.fixture(scope="module")
def server(migrated: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with mlflow(migrated, tmp_path_factory.mktemp("mlflow")) as address:
        yield address


def registered(server: str, name: str, folder: Path) -> str:
    """A version with one artefact file, made by the client that the pipelines use; returns its run."""
    from mlflow import MlflowClient

    client = MlflowClient(server)
    run = client.create_run(client.create_experiment(name))
    (folder / "card.md").write_text("# Card\n")
    client.log_artifacts(run.info.run_id, str(folder), "model")
    client.create_registered_model(name)
    client.create_model_version(name, f"{run.info.artifact_uri}/model", run.info.run_id, tags={"dirty": "true"})
    client.set_registered_model_alias(name, "champion", "1")
    return str(run.info.run_id)


def test_a_champion_is_found_and_fetched_by_rest_alone(server: str, tmp_path: Path) -> None:
    run = registered(server, "by_rest", tmp_path)
    with httpx.Client(base_url=server) as http:
        found = http.get(f"{API}/registered-models/alias", params={"name": "by_rest", "alias": "champion"})
        version = found.json()["model_version"]
        assert (version["version"], version["run_id"]) == ("1", run)
        where = {"name": "by_rest", "version": "1"}
        uri = http.get(f"{API}/model-versions/get-download-uri", params=where).json()["artifact_uri"]
        root = uri.removeprefix("mlflow-artifacts:/").lstrip("/")
        listed = http.get(f"{API}-artifacts/artifacts", params={"path": root}).json()["files"]
        assert [file["path"] for file in listed] == ["card.md"]
        assert http.get(f"{API}-artifacts/artifacts/{root}/card.md").text == "# Card\n"


def test_what_is_missing_is_said_so(server: str) -> None:
    answer = httpx.get(f"{server}{API}/registered-models/alias", params={"name": "nobody", "alias": "champion"})
    assert answer.status_code == 404


def test_the_pages_are_there(server: str) -> None:
    page = httpx.get(f"{server}/")
    assert page.status_code == 200
    assert "<html" in page.text


def test_prometheus_is_told_what_it_takes(server: str) -> None:
    told = httpx.get(f"{server}/metrics", headers={"Host": "172.18.0.9:8300"})
    assert told.headers["content-type"].startswith("text/plain; version=0.0.4")
    figures = dict(line.split() for line in told.text.splitlines())
    assert float(figures["process_cpu_seconds_total"]) > 0
    assert float(figures["process_resident_memory_bytes"]) > 2**25


def test_a_stranger_host_is_refused(server: str) -> None:
    url = f"{server}{API}/experiments/search?max_results=1"
    assert httpx.get(url).status_code == 200
    assert httpx.get(url, headers={"Host": "evil.example"}).status_code == 403
