"""The weekly forecast: made from what was known when its window ended, kept once, held against what came."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast

import httpx
import numpy as np
import pytest

from models.contract import Manifest
from models.weekly_demand import features
from models.weekly_demand.contract import contract
from models.weekly_demand.generated import generated
from models.weekly_demand.weeks import NAMES, SERIES, WEEK, Count, begins, table
from pipelines.weekly_demand import table as training
from services.champions import Champions
from services.chassis.database import Database
from services.inference_batch import forecasts, main, runs
from services.inference_batch.executing import Executor
from services.inference_batch.forecasting import MODEL, Forecasting
from services.inference_batch.happened import Happened, from_warehouse, nothing
from services.inference_batch.runs import Run
from services.inference_batch.waiting import Waiting
from services.inference_batch.windows import Schedule, Window
from services.prediction import Prediction, PredictionRequest
from services.predictors import Predictor
from tests.conftest import MakeBackends, MakeClient

MONDAY = date(2026, 11, 23)
ALL = len(SERIES) * len(NAMES)


@dataclass
class LastWeek:
    """A model that expects what the level says."""

    manifest: Manifest = field(default_factory=contract)
    version: str | None = "3"
    reason: str | None = None
    asked: list[Any] = field(default_factory=list)
    features: Any = features

    async def predict(self, request: PredictionRequest) -> Prediction:
        self.asked.append(request.inputs["features"])
        if self.reason:
            return Prediction(
                request.id, MODEL, "default", {"demand": np.zeros((request.rows, 3))}, "default", self.reason
            )
        level = np.expm1(request.inputs["features"][:, features.LEVEL])
        return Prediction(request.id, MODEL, "3", {"demand": np.stack([level * 0.8, level, level * 1.2], 1)})


@pytest.fixture
async def batch(database: Callable[[str], Awaitable[Database]]) -> Database:
    return await database("inference_batch")


def told(counts: Sequence[Count]) -> Happened:
    async def happened(until: datetime) -> Sequence[Count]:
        return [count for count in counts if begins(count.week + WEEK) <= until]

    return happened


async def forecast(batch: Database, model: LastWeek, happened: Happened = nothing, week: date = MONDAY) -> Run:
    schedule = Schedule(MODEL, WEEK, timedelta(days=4), timedelta(hours=6), "all", 1, 1, True)
    await runs.queue(batch, schedule, Window(begins(week - WEEK), begins(week)), "hand")
    run = await Executor(batch, {MODEL: Forecasting(cast(Predictor, model), happened)}, chunk=7).one()
    assert run is not None
    return run


async def written(batch: Database) -> list[dict[str, Any]]:
    async with batch.connection() as connection:
        rows = await connection.execute("SELECT * FROM forecasts ORDER BY week, series, category")
        return await rows.fetchall()


async def test_every_series_and_category_gets_its_forecast_with_a_band(batch: Database) -> None:
    run = await forecast(batch, LastWeek())
    rows = await written(batch)
    assert (run.state, run.done, len(rows)) == ("done", ALL, ALL)
    assert {row["week"] for row in rows} == {MONDAY}
    assert all(row["low"] < row["expected"] < row["high"] for row in rows)
    assert {(row["version"], row["served_by"], row["simulated_weeks"]) for row in rows} == {("3", "model", 56)}


async def test_serving_features_equal_training_features(batch: Database) -> None:
    real = [
        Count(MONDAY - WEEK * back, s, c, 7 * back + len(c), False) for back in (2, 1) for s in SERIES for c in NAMES
    ]
    model = LastWeek()
    await forecast(batch, model, told(real))
    weeks = generated(MONDAY - WEEK * back for back in range(3, features.HISTORY + 1))
    now = [Count(MONDAY, s, c, 0, False) for s in SERIES for c in NAMES]  # what it was is not among the features
    trained = [one for one in training.examples([*weeks, *real, *now]) if one.week == MONDAY]
    by_key = sorted(trained, key=lambda one: f"{one.series}/{one.category}")
    assert np.concatenate(model.asked).tobytes() == training.features(by_key).tobytes()


async def test_the_baseline_is_the_week_a_year_before(batch: Database) -> None:
    await forecast(batch, LastWeek())
    known = table(generated([MONDAY - 52 * WEEK]))
    assert all(
        row["baseline"] == known[row["series"], row["category"], MONDAY - 52 * WEEK].count
        for row in await written(batch)
    )


async def test_what_came_later_changes_nothing_however_late_the_run_is(batch: Database) -> None:
    """A source that tells too much is not believed: nothing of the week to come, or later, reaches the model."""
    real = [Count(MONDAY - WEEK * back, s, c, 40 + back, False) for back in (3, 2, 1) for s in SERIES for c in NAMES]
    later = [Count(MONDAY + WEEK * on, s, c, 10_000, False) for on in (0, 1) for s in SERIES for c in NAMES]

    async def knows_all(until: datetime) -> Sequence[Count]:
        return [*real, *later]

    early, late = LastWeek(), LastWeek()
    await forecast(batch, early, told(real))
    async with batch.connection() as connection:
        await connection.execute("DELETE FROM runs")
    await forecast(batch, late, knows_all)
    assert np.array_equal(np.concatenate(early.asked), np.concatenate(late.asked))
    assert {row["simulated_weeks"] for row in await written(batch)} == {53}


async def test_a_week_without_anything_is_a_week_of_nothing(batch: Database) -> None:
    one = Count(MONDAY - 4 * WEEK, "uploads", "cat", 8, simulated=False)
    await forecast(batch, LastWeek(), told([one]))
    expected = {(row["series"], row["category"]): row["expected"] for row in await written(batch)}
    assert expected["searches", "dog"] == 0
    assert expected["uploads", "cat"] == pytest.approx(np.expm1(np.log1p(8) / 4), rel=1e-4)


async def test_switched_off_the_baseline_is_the_forecast(batch: Database) -> None:
    run = await forecast(batch, LastWeek(reason="switched_off"))
    rows = await written(batch)
    assert run.state == "done"
    assert all(row["expected"] == row["baseline"] and row["low"] is None for row in rows)
    assert {(row["version"], row["served_by"]) for row in rows} == {("seasonal-naive", "default")}


async def test_a_default_for_any_other_reason_is_no_forecast(batch: Database) -> None:
    run = await forecast(batch, LastWeek(reason="not_loaded"))
    assert run.state == "failed"
    assert "not_loaded" in run.error
    assert await written(batch) == []


async def test_forecasts_are_held_against_what_came(batch: Database) -> None:
    real = [Count(MONDAY + WEEK * on, s, c, 100, False) for on in (-2, -1, 0) for s in SERIES for c in NAMES]
    await forecast(batch, LastWeek(), told(real))
    now = begins(MONDAY + WEEK) + timedelta(hours=3)
    found = await forecasts.demand(batch, told(real), now, 8)
    assert found.happened
    assert len(found.brought) == 8 * ALL
    assert {one.came for one in found.forecasts} == {100}
    uploads = next(one for one in found.quality if one.series == "uploads")
    assert (uploads.weeks, uploads.simulated) == (1, False)
    assert uploads.wape == pytest.approx(
        sum(abs(one.expected - 100) for one in found.forecasts if one.series == "uploads") / (100 * len(NAMES))
    )


async def test_the_week_that_runs_has_a_forecast_and_no_count(batch: Database) -> None:
    await forecast(batch, LastWeek())
    found = await forecasts.demand(batch, nothing, begins(MONDAY) + timedelta(days=2), 4)
    assert {one.week for one in found.forecasts} == {MONDAY}
    assert {one.came for one in found.forecasts} == {None}
    assert found.quality == []
    assert not found.happened
    assert {one.simulated for one in found.brought} == {True}


async def test_operators_see_it_and_others_do_not(
    batch: Database, backends: MakeBackends, client: MakeClient, signed_in: Callable[..., dict[str, str]]
) -> None:
    http = client(main.build(backends(database=batch)))
    assert (await http.get("/api/batch/demand")).status_code == 401
    assert (await http.get("/api/batch/demand", headers=signed_in(roles=("user",)))).status_code == 403
    answer = await http.get("/api/batch/demand?weeks=3", headers=signed_in(roles=("operator",)))
    assert answer.status_code == 200
    assert len(answer.json()["brought"]) == 3 * ALL
    assert (await http.get("/api/batch/demand?weeks=0", headers=signed_in(roles=("operator",)))).status_code == 422


async def test_a_warehouse_that_rests_is_an_error_and_not_an_empty_past() -> None:
    transport = httpx.MockTransport(lambda request: httpx.Response(503))
    async with httpx.AsyncClient(transport=transport) as http:
        with pytest.raises(httpx.HTTPError):
            await from_warehouse(http, "http://warehouse:8190")(begins(MONDAY))


async def test_the_warehouse_is_asked_for_what_was_over(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        rows = [
            {"week": "2026-11-16", "series": "uploads", "category": name, "count": 2} for name in ("cat", "unicorn")
        ]
        return httpx.Response(200, json={"weeks": rows})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        found = await from_warehouse(http, "http://warehouse:8190/")(begins(MONDAY))
    assert asked[0].url.path == "/api/warehouse/demand"
    assert datetime.fromisoformat(asked[0].url.params["until"]) == datetime(2026, 11, 23, tzinfo=UTC)
    assert found == [Count(date(2026, 11, 16), "uploads", "cat", 2, simulated=False)]


async def test_a_job_waits_for_its_champion(
    batch: Database, backends: MakeBackends, client: MakeClient, signed_in: Callable[..., dict[str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    there: list[str] = []
    transport = httpx.MockTransport(lambda request: httpx.Response(200 if there else 404, json={}))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://mlflow:8300")
    http = client(main.build(backends(database=batch, transport=transport)))
    operator = signed_in(roles=("operator",))
    refused = await http.post("/api/batch/runs", json={"job": MODEL}, headers=operator)
    assert refused.status_code == 409
    assert f"scripts/train {MODEL}" in refused.json()["detail"]
    there.append(MODEL)
    assert (await http.post("/api/batch/runs", json={"job": MODEL}, headers=operator)).status_code == 202


async def test_while_mlflow_is_away_a_job_waits() -> None:
    def away(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("away")

    async with httpx.AsyncClient(transport=httpx.MockTransport(away)) as http:
        waiting = Waiting(Champions(http, "http://mlflow:8300"), [MODEL])
        assert await waiting.now() == {MODEL}
    assert await Waiting(None, [MODEL]).now() == set()
