"""The rankers' pictures: orders beside each other, and where what was clicked stands in them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from pipelines.interactions.ordering import Floats, Search

FIRST = 60


def orders_picture(metrics: Mapping[str, float], names: Sequence[str], path: Path) -> None:
    """NDCG@10 of each order with its interval; the same bytes for the same numbers."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 2.6), dpi=100, layout="constrained")
    axes = figure.add_subplot()
    middle = np.array([metrics[f"ndcg_{name}"] for name in names])
    spread = [middle - [metrics[f"ndcg_{name}_low"] for name in names]]
    spread += [np.array([metrics[f"ndcg_{name}_high"] for name in names]) - middle]
    axes.barh(range(len(names)), middle, xerr=spread, color=["#1f6f54"] + ["#9db4ab"] * (len(names) - 1), capsize=3)
    axes.set_yticks(range(len(names)), [name.replace("_", " ") for name in names])
    axes.invert_yaxis()
    axes.set(xlabel="NDCG@10, clicks weighed by attention", title="Later searches, orders compared")
    figure.savefig(path, format="png", metadata={"Software": None})


def places_picture(judged: Sequence[Search], scores: Sequence[Floats], path: Path) -> None:
    """Of everything that was clicked: where the model puts it, and where it stood by default."""
    from matplotlib.figure import Figure

    ranked, found = [], []
    for search, given in zip(judged, scores, strict=True):
        clicked = search.grades > 0
        place = np.empty(len(clicked), int)
        place[np.argsort(-given, kind="stable")] = np.arange(1, len(clicked) + 1)
        ranked += place[clicked].tolist()
        found += search.default_positions[clicked].tolist()
    figure = Figure(figsize=(7, 3), dpi=100, layout="constrained")
    axes = figure.add_subplot()
    bins = np.arange(0.5, FIRST + 5, 4)
    both = [np.minimum(ranked, FIRST), np.minimum(found, FIRST)]
    axes.hist(both, bins=list(bins), label=["this model", "unranked"], color=["#1f6f54", "#9db4ab"])
    axes.set(xlabel="place", ylabel="clicked results", title="Where stands what was clicked")
    axes.legend()
    figure.savefig(path, format="png", metadata={"Software": None})
