"""weekly_demand learns from nothing that comes later, answers the same in ONNX, and is made alike each time."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import httpx
import numpy as np
import pytest

from models.contract import Manifest
from models.weekly_demand import features as served
from models.weekly_demand.features import HISTORY
from models.weekly_demand.generated import generated
from models.weekly_demand.weeks import NAMES, WEEK, Count, before
from pipelines import artefact
from pipelines.weekly_demand import prepare, snapshot, train
from pipelines.weekly_demand.table import dealt, examples, features, read, truth, write
from tests.platform import ROOT

END = date(2026, 11, 23)
Forecast = Callable[..., dict[str, float]]
PARAMS = train.Params(test_weeks=16, calibration_weeks=16, penalties=[0.3, 1.0], inside=0.8)


@pytest.fixture(scope="module")
def counts() -> list[Count]:
    return generated(before(END, 120))


def test_an_example_holds_nothing_of_its_week_or_later(counts: list[Count]) -> None:
    week = END - 10 * WEEK
    told = [one if one.week < week else replace(one, count=one.count * 7 + 1) for one in counts]
    known, changed = ([one for one in examples(every) if one.week == week] for every in (counts, told))
    assert known
    assert [one.asked for one in known] == [one.asked for one in changed]
    assert [one.count for one in known] != [one.count for one in changed]


def test_parts_are_dealt_by_time(counts: list[Count]) -> None:
    parts = dealt(examples(counts), 16, 16)
    assert max(one.week for one in parts.train) < min(one.week for one in parts.calibration)
    assert max(one.week for one in parts.calibration) < min(one.week for one in parts.test)
    assert len({one.week for one in parts.test}) == 16
    assert len({one.week for one in examples(counts)}) == 120 - HISTORY


def test_it_is_better_than_seasonal_naive_and_its_band_holds(counts: list[Count]) -> None:
    parts = dealt(examples(counts), 16, 16)
    fitted, _ = train.fit(parts, PARAMS)
    demand = fitted.demand(features(parts.test).astype(np.float64))
    brought, naive = truth(parts.test), np.array([one.year_ago for one in parts.test], np.float64)
    assert train.wape(brought, demand[:, 1]) < 0.8 * train.wape(brought, naive)
    assert 0.6 < ((brought >= demand[:, 0]) & (brought <= demand[:, 2])).mean() < 0.95
    assert (demand[:, 0] <= demand[:, 1]).all()
    assert (demand[:, 1] <= demand[:, 2]).all()


def test_the_test_weeks_change_nothing_that_is_learnt(counts: list[Count]) -> None:
    later = [one if one.week < END - 16 * WEEK else replace(one, count=1) for one in counts]
    fits = [train.fit(dealt(examples(every), 16, 16), PARAMS)[0] for every in (counts, later)]
    assert np.array_equal(fits[0].weights, fits[1].weights)
    assert fits[0].band == fits[1].band


def test_what_happened_replaces_what_was_generated() -> None:
    week = date(2027, 3, 1)
    happened = [replace(one, count=3, simulated=False) for one in generated([week - WEEK, week])]
    joined = prepare.joined(happened, prepare.Params(weeks=120, ends=END))
    assert sorted({one.week for one in joined}) == before(week + WEEK, 120)
    assert {one.week for one in joined if not one.simulated} == {week - WEEK, week}
    assert len(joined) == 120 * 20


def test_a_file_of_weeks_is_read_as_it_was_written(tmp_path: Path) -> None:
    found = [*generated([END]), Count(END + WEEK, "uploads", "cat", 5, simulated=False)]
    write(tmp_path / "weeks.csv", found)
    assert read(tmp_path / "weeks.csv") == found


def test_what_happened_is_asked_of_the_warehouse() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        rows = [{"week": str(END), "series": "uploads", "category": name, "count": 4} for name in ("cat", "unicorn")]
        return httpx.Response(200, json={"weeks": rows})

    found = snapshot.happened("http://warehouse:8190", httpx.MockTransport(answer))
    assert found == [Count(END, "uploads", "cat", 4, simulated=False)]
    assert datetime.fromisoformat(asked[0].url.params["until"]).weekday() == 0
    assert snapshot.happened(None) == []


def test_a_warehouse_that_starts_is_waited_for() -> None:
    answers: list[httpx.Response | Exception] = [httpx.ConnectError("not yet")] * 2
    answers += [httpx.Response(200)]
    waited: list[float] = []

    def ask() -> httpx.Response:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert snapshot.patiently(ask, pause=waited.append).status_code == 200
    assert len(waited) == 2
    answers += [httpx.ConnectError("gone")] * 3
    with pytest.raises(httpx.HTTPError):
        snapshot.patiently(ask, tries=3, pause=waited.append)


def trained(folder: Path) -> str:
    """All stages but the registration, in a folder of their own; the name of what came out."""
    for name in ("models", "pipelines"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.png", "card.md"))
    for stage in ("snapshot", "prepare", "train", "evaluate"):
        command = [sys.executable, "-m", f"pipelines.weekly_demand.{stage}"]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return artefact.model_hash(Manifest.read(folder / "data/weekly_demand/model"))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Path, str]]:
    """The same sources and data, trained twice."""
    folders = [tmp_path_factory.mktemp(name) for name in ("once", "again")]
    return [(folder, trained(folder)) for folder in folders]


def test_the_same_sources_and_data_make_the_same_model(made: list[tuple[Path, str]]) -> None:
    (_, once), (_, again) = made
    assert once == again


def test_other_data_makes_another_model(counts: list[Count]) -> None:
    later = [replace(one, count=one.count + 40) if one.week == END - 50 * WEEK else one for one in counts]
    fits = [train.fit(dealt(examples(every), 16, 16), PARAMS)[0] for every in (counts, later)]
    assert not np.array_equal(fits[0].weights, fits[1].weights)


def test_the_artefact_keeps_its_promises(made: list[tuple[Path, str]]) -> None:
    manifest = artefact.verify(made[0][0] / "data/weekly_demand/model")
    assert manifest.name == "weekly_demand"
    assert {"forecast.png", "misses.png", "card.md"} <= manifest.files.keys()


@pytest.fixture(scope="module")
def forecast(made: list[tuple[Path, str]]) -> Forecast:
    folder = made[0][0] / "data/weekly_demand/model"
    session = artefact.open_session(folder / artefact.ONNX)
    manifest, names = Manifest.read(folder), [output.name for output in session.get_outputs()]

    def said(history: list[int], category: str = "cat") -> dict[str, float]:
        inputs = served.encode(served.raw("uploads", category, date(2026, 3, 2), history))
        outputs = dict(zip(names, session.run(names, inputs), strict=True))
        return dict(served.answer(manifest, outputs)["demand"])

    return said


YEAR = [100 + week % 5 for week in range(HISTORY)]


def test_a_platform_ten_times_as_large_gets_ten_times_the_forecast(forecast: Forecast) -> None:
    small, large = forecast(YEAR), forecast([10 * count for count in YEAR])
    assert large["expected"] == pytest.approx(10 * small["expected"], rel=0.1)


def test_more_in_the_last_weeks_means_more_to_come(forecast: Forecast) -> None:
    before, grown = forecast(YEAR), forecast(YEAR[:-4] + [2 * count for count in YEAR[-4:]])
    assert grown["expected"] > 1.3 * before["expected"]


def test_the_band_holds_what_is_expected_in_every_category(forecast: Forecast) -> None:
    for category in NAMES:
        said = forecast(YEAR, category)
        assert 0 <= said["low"] <= said["expected"] <= said["high"]
