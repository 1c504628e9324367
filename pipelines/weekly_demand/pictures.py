"""The plots of the card: the test weeks as they were expected and as they came, and where the model was wrong most."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipelines.weekly_demand.table import Example, Floats, truth

WRONG = 6
"""How many misses are shown."""


def forecast_picture(found: Sequence[Example], demand: Floats, of: Sequence[tuple[str, str]], path: Path) -> None:
    """One panel for each series and category that is named."""
    figure, panels = panes(len(of))
    for axes, (series, category) in zip(panels, of, strict=False):
        rows = [at for at, one in enumerate(found) if (one.series, one.category) == (series, category)]
        panel(axes, [found[at] for at in rows], demand[rows])
        axes.set_title(f"{series}, {category}")
    panels[0].legend(loc="best", fontsize="small")
    save(figure, path)


def misses_picture(found: Sequence[Example], demand: Floats, path: Path) -> None:
    """The weeks whose error is the largest beside what was expected, each with the weeks around it."""
    error = np.abs(truth(found) - demand[:, 1]) / (demand[:, 1] + 1)
    figure, panels = panes(WRONG)
    for axes, worst in zip(panels, np.argsort(-error, kind="stable")[:WRONG], strict=False):
        one = found[int(worst)]
        rows = [at for at, other in enumerate(found) if (other.series, other.category) == (one.series, one.category)]
        panel(axes, [found[at] for at in rows], demand[rows])
        axes.axvline([found[at].week for at in rows].index(one.week), color="tab:red", alpha=0.4, linewidth=6)
        axes.set_title(f"{one.series}, {one.category}: {one.count}, expected {demand[worst, 1]:.0f}")
    save(figure, path)


def panel(axes: Any, found: Sequence[Example], demand: Floats) -> None:
    """What came, what was expected, the band, and the baseline."""
    place = np.arange(len(found))
    axes.fill_between(
        place, demand[:, 0], demand[:, 2], color="tab:blue", alpha=0.2, label="8 times in 10", linewidth=0
    )
    axes.plot(place, demand[:, 1], color="tab:blue", label="expected")
    axes.plot(place, [one.year_ago for one in found], color="grey", linestyle=":", label="a year before")
    axes.plot(place, truth(found), color="black", marker=".", label="came")
    axes.set_xticks(place[::4], [str(one.week) for one in found][::4], fontsize="x-small")
    axes.set_ylim(bottom=0)


def panes(number: int) -> tuple[Any, list[Any]]:
    """A figure with so many panels, three in a row."""
    from matplotlib.figure import Figure

    rows = -(-number // 3)
    figure = Figure(figsize=(12, 3.2 * rows), dpi=80, layout="constrained")
    return figure, [figure.add_subplot(rows, 3, at + 1) for at in range(number)]


def save(figure: Any, path: Path) -> None:
    """As a PNG, the same bytes for the same numbers."""
    figure.savefig(path, format="png", metadata={"Software": None})
