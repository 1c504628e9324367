"""Judge the ONNX file that will be served on weeks it never saw; write its artefact and its card.

    dvc repro pipelines/weekly_demand/dvc.yaml:evaluate

The baseline is named seasonal-naive: what the same week brought a year before. All intervals come
from drawing whole weeks again, because what makes one category's week unusual makes the others' so.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.contract import Manifest
from models.weekly_demand.contract import contract
from models.weekly_demand.features import HISTORY
from models.weekly_demand.weeks import NAMES, SERIES
from pipelines import artefact
from pipelines.card import card, table
from pipelines.evaluation import Interval
from pipelines.parameters import load
from pipelines.weekly_demand import train
from pipelines.weekly_demand.pictures import forecast_picture, misses_picture
from pipelines.weekly_demand.table import (
    PREPARED,
    TRAINED,
    Example,
    Floats,
    dealt,
    examples,
    features,
    read,
    truth,
)
from pipelines.weekly_demand.train import wape

DATA = Path("data/weekly_demand")
CARD = Path("models/weekly_demand")
SHOWN = tuple((series, category) for series in SERIES for category in ("cat", "insect", "food"))
PLACES = 4


@dataclass(frozen=True)
class Params:
    repeats: int


@dataclass(frozen=True)
class Judged:
    """Weeks with what was said of them before they began."""

    found: Sequence[Example]
    demand: Floats

    @property
    def brought(self) -> Floats:
        return truth(self.found)

    @property
    def inside(self) -> Floats:
        """Whether the week lay in the band."""
        return np.asarray((self.brought >= self.demand[:, 0]) & (self.brought <= self.demand[:, 2]), np.float64)

    @property
    def said(self) -> dict[str, Floats]:
        """What each way of forecasting expected."""
        return {
            "wape": self.demand[:, 1],
            "wape_seasonal_naive": np.array([one.year_ago for one in self.found], np.float64),
            "wape_last_week": np.array([one.last_week for one in self.found], np.float64),
        }

    def of(self, wanted: Callable[[Example], bool]) -> "Judged":
        """Some of them."""
        rows = [at for at, one in enumerate(self.found) if wanted(one)]
        return Judged([self.found[at] for at in rows], self.demand[rows])


def main() -> None:
    params = load(Params, "pipelines/weekly_demand/params.yaml", "evaluate")
    dealing = load(train.Params, "pipelines/weekly_demand/params.yaml", "train")
    parts = dealt(examples(read(PREPARED)), dealing.calibration_weeks, dealing.test_weeks)
    judged = Judged(parts.test, artefact.run(TRAINED / "model.onnx", {"features": features(parts.test)})["demand"])
    metrics = measured(
        judged, params, sum(not one.simulated for one in [*parts.train, *parts.calibration, *parts.test])
    )
    forecast_picture(judged.found, judged.demand, SHOWN, CARD / "forecast.png")
    misses_picture(judged.found, judged.demand, CARD / "misses.png")
    manifest = contract()
    facts = json.loads((TRAINED / "facts.json").read_text())
    write(manifest, judged, metrics, described(manifest, judged, metrics, facts, dealing))


def measured(judged: Judged, params: Params, real: int) -> dict[str, float]:
    """Every number of the card."""
    numbers: dict[str, float] = {}
    for series in SERIES:
        part = judged.of(lambda one, series=series: one.series == series)  # type: ignore[misc]
        for name, interval in by_weeks(part, params.repeats).items():
            numbers |= interval.named(f"{series}_{name}")
        numbers[f"{series}_inside"] = float(part.inside.mean())
    numbers |= {
        f"wape_{name}": wape(part.brought, part.demand[:, 1])
        for name in NAMES
        for part in [judged.of(lambda one, name=name: one.category == name)]  # type: ignore[misc]
    }
    numbers |= {"test_weeks": len({one.week for one in judged.found}), "examples_that_happened": real}
    return {key: round(float(value), PLACES) for key, value in numbers.items()}


def by_weeks(judged: Judged, repeats: int, seed: int = 0) -> dict[str, Interval]:
    """The WAPE of every way of forecasting, and how much lower than seasonal-naive the model's is."""
    weeks = sorted({one.week for one in judged.found})
    place = np.array([weeks.index(one.week) for one in judged.found])
    count = np.bincount(place, judged.brought, len(weeks))
    errors = {name: np.bincount(place, np.abs(judged.brought - said), len(weeks)) for name, said in judged.said.items()}
    errors["gain"] = errors["wape_seasonal_naive"] - errors["wape"]
    picks = np.random.default_rng(seed).integers(0, len(weeks), (repeats, len(weeks)))
    return {name: interval(error, count, picks) for name, error in errors.items()}


def interval(error: NDArray[Any], count: NDArray[Any], picks: NDArray[Any]) -> Interval:
    """Errors by counts, over all weeks, and over weeks drawn again."""
    drawn = error[picks].sum(1) / count[picks].sum(1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Interval(float(error.sum() / count.sum()), float(low), float(high))


def described(
    manifest: Manifest, judged: Judged, metrics: dict[str, float], facts: dict[str, float], dealing: train.Params
) -> str:
    """The card, in words; every number comes from the run."""
    return card(
        manifest,
        {
            "What it is for": "On Monday, for the week that begins: how many items will be registered and how many "
            "searches made in each category, so that moderators and machines can be planned. The batch job of this "
            "name writes it.",
            "How good it is": quality(judged, metrics)
            + "\n\n![Expected and came](forecast.png)\n\nWhere it was wrong most:\n\n![Misses](misses.png)",
            "How it is made": f"Ridge regression (penalty {facts['penalty']:g}) on how a week lies to the level of "
            f"the four weeks before it. Known by then, and used: the {HISTORY} weeks before, the calendar with its "
            f"holidays. The last {dealing.test_weeks} weeks are the test, the {dealing.calibration_weeks} before "
            f"them choose the penalty and the width of the band, which is meant to hold {dealing.inside:.0%} of "
            "weeks. No week is ever judged by weeks after it.",
            "Data": data(metrics),
            "Limits": "Generated weeks are what their author thinks demand is like: the figures above show that the "
            "method works, not how well it will do with your users. Pushes and news are not known a week ahead and are "
            "missed. While generated weeks lie in the year before, the season is theirs. Only the ten shipped "
            "categories are forecast.",
        },
    )


def quality(judged: Judged, metrics: dict[str, float]) -> str:
    """Errors as a part of what was counted, beside the baselines'."""
    names = {"wape": "this model", "wape_seasonal_naive": "seasonal-naive: the same week a year before"}
    names |= {"wape_last_week": "the week before", "gain": "how much better than seasonal-naive"}
    rows = [(told, *(told_interval(metrics, f"{series}_{name}") for series in SERIES)) for name, told in names.items()]
    rows.append(("weeks inside the band", *(f"{metrics[f'{series}_inside']:.1%}" for series in SERIES)))
    each = [(name, metrics[f"wape_{name}"]) for name in NAMES]
    first, last = judged.found[0].week, judged.found[-1].week
    return (
        f"WAPE (errors summed, as a part of what was counted) over the {metrics['test_weeks']:.0f} weeks from {first} "
        f"to {last}, with 95 % intervals:\n\n{table(('', *SERIES), rows)}\n\n{table(('category', 'WAPE'), each)}"
    )


def told_interval(metrics: dict[str, float], name: str) -> str:
    """A number with its interval."""
    return f"{metrics[name]:.3f} ({metrics[name + '_low']:.3f} to {metrics[name + '_high']:.3f})"


def data(metrics: dict[str, float]) -> str:
    """What is generated in it, and what is not."""
    happened = f"{metrics['examples_that_happened']:.0f} of the examples really happened"
    return (
        "Weekly counts. What the platform has not lived through is generated (trend, season, holidays, pushes, "
        f"chance: `models/weekly_demand/generated.py`) and marked simulated; {happened}, the rest is generated."
    )


def write(manifest: Manifest, judged: Judged, metrics: dict[str, float], card_text: str) -> None:
    """The artefact, and what is committed of it: the metrics and the card."""
    first = {one.series: one for one in reversed(judged.found)}
    artefact.write(
        DATA / "model",
        manifest.model_copy(update={"tolerance": 1e-2}),
        TRAINED / "model.onnx",
        [one.asked for _, one in sorted(first.items())],
        metrics,
        {"units_outside": outside(judged)},
        card_text,
        {name: CARD / name for name in ("forecast.png", "misses.png")},
        libraries=["pydantic"],
        suffix=".json",
    )
    (DATA / "metrics.json").write_text(artefact.canonical(metrics), "utf-8")
    (CARD / "card.md").write_text(card_text, "utf-8")


def outside(judged: Judged) -> dict[str, float]:
    """Weeks that brought less, and more, than the band: to compare live ones with."""
    less = float((judged.brought < judged.demand[:, 0]).mean())
    more = float((judged.brought > judged.demand[:, 2]).mean())
    return {"below": round(less, PLACES), "above": round(more, PLACES)}


if __name__ == "__main__":
    main()
