"""Repository load and unload: an operator's word, which every replica follows."""

from pathlib import Path

import httpx
import pytest

from services.chassis.database import Database
from services.chassis.service import Service
from services.inference_sync.main import offered
from services.inference_sync.switches import Switches
from services.predictors import Predictors, PredictorSettings, served
from tests import tokens
from tests.conftest import MakeBackends, MakeDatabase
from tests.services.inference_sync.test_inference_sync import INFER, TENSOR
from tests.services.sources.tiny import TINY, FakeMlflow, artefact

OPERATOR = {"Authorization": f"Bearer {tokens.token(roles=['operator'])}"}


class Replica:
    """One host, spoken to over HTTP."""

    def __init__(self, service: Service, predictors: Predictors, switches: Switches) -> None:
        self.predictors, self.switches = predictors, switches
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(service.front), base_url="http://host")

    async def answer(self) -> tuple[str, str | None]:
        """Who answers, and why."""
        parameters = (await self.http.post(INFER, json={"inputs": [TENSOR]})).json()["parameters"]
        return parameters["served_by"], parameters.get("reason")

    async def ready(self) -> bool:
        return (await self.http.get("/v2/models/tiny/ready")).status_code == 200


@pytest.fixture
async def replicas(database: MakeDatabase, backends: MakeBackends, tmp_path: Path) -> tuple[Replica, Replica]:
    """Two hosts on one database, both with the model loaded."""
    mlflow = FakeMlflow()
    mlflow.add("1", artefact(tmp_path / "one"))
    rows = await database("inference")
    return await started(rows, backends, mlflow, tmp_path), await started(rows, backends, mlflow, tmp_path)


async def started(rows: Database, backends: MakeBackends, mlflow: FakeMlflow, tmp_path: Path) -> Replica:
    service = Service("inference-sync", backends(database=rows, transport=mlflow))
    settings = PredictorSettings(mlflow_tracking_uri="http://mlflow:8300", model_cache=tmp_path / "cache")
    predictors = served(service, settings, patience_seconds=2.0, declared=[TINY])
    switches = Switches(rows, predictors)
    offered(service, predictors, switches, max_batch=8, max_bytes=100_000)
    await predictors["tiny"].source.look()
    return Replica(service, predictors, switches)


async def test_every_replica_follows_an_operator(replicas: tuple[Replica, Replica]) -> None:
    first, second = replicas
    assert (await first.http.post("/v2/repository/models/tiny/unload", headers=OPERATOR)).status_code == 200
    assert (await first.answer(), await first.ready()) == (("default", "unloaded"), False)
    assert (await second.answer(), await second.ready()) == (("model", None), True)
    await second.switches.follow()
    assert (await second.answer(), await second.ready()) == (("default", "unloaded"), False)
    await second.predictors["tiny"].source.look()
    assert not await second.ready(), "the registry's champion must not bring it back"
    (line,) = (await second.http.post("/v2/repository/index")).json()
    assert (line["state"], line["reason"]) == ("UNAVAILABLE", "unloaded by an operator")

    assert (await second.http.post("/v2/repository/models/tiny/load", headers=OPERATOR)).status_code == 200
    assert (await second.answer(), await second.ready()) == (("model", None), True)
    await first.switches.follow()
    assert (await first.answer(), await first.ready()) == (("model", None), True)


async def test_twice_is_as_good_as_once(replicas: tuple[Replica, Replica]) -> None:
    for what, ready in (("unload", False), ("load", True)):
        for _ in range(2):
            answer = await replicas[0].http.post(f"/v2/repository/models/tiny/{what}", headers=OPERATOR)
            assert answer.status_code == 200
        assert await replicas[0].ready() is ready


@pytest.mark.parametrize(
    ("headers", "status"), [({}, 401), ({"Authorization": f"Bearer {tokens.token(roles=['moderator'])}"}, 403)]
)
async def test_only_operators_may(replicas: tuple[Replica, Replica], headers: dict[str, str], status: int) -> None:
    for what in ("load", "unload"):
        answer = await replicas[0].http.post(f"/v2/repository/models/tiny/{what}", headers=headers)
        assert answer.status_code == status
    assert await replicas[0].ready()


async def test_what_is_not_there_cannot_be_unloaded(replicas: tuple[Replica, Replica]) -> None:
    answer = await replicas[0].http.post("/v2/repository/models/unicorn/unload", headers=OPERATOR)
    assert answer.status_code == 404
