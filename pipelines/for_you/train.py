"""Solve for the factors of items and categories, weigh the parts of a score, write it all as ONNX.

    dvc repro pipelines/for_you/dvc.yaml:train

The weights come from searches after those that the factors come from: a logistic regression of being chosen on
taste for the item, taste for its category and popularity, with the position as a feature that is left away when
serving. So what was shown high and chosen for that alone says nothing. Then the factors are solved for again with
all of it; the last searches are never looked at.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import onnx
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from models.for_you.features import HISTORY
from pipelines import waiting
from pipelines.artefact import run
from pipelines.for_you.asked import asked_of, inputs_of
from pipelines.for_you.choices import FOR_YOU, Choices, Floats, between, cuts, known_at, read
from pipelines.for_you.factors import Model, Shape, fit
from pipelines.for_you.graph import graph
from pipelines.parameters import load

PARTS = ("taste for the item", "taste for its category", "popularity")


@dataclass(frozen=True)
class Params:
    test: float
    validation: float
    factors: int
    penalty: float
    confidence: float
    category_weight: float
    rounds: int
    seed: int


def main() -> None:
    params = load(Params, "pipelines/for_you/params.yaml", "train")
    if why := waiting.why(FOR_YOU.prepared):
        waiting.wait(FOR_YOU.trained, why)
        return
    found = read(FOR_YOU.prepared / "choices.npz")
    with threadpool_limits(1):
        model, told = trained(found, params)
    FOR_YOU.trained.mkdir(parents=True, exist_ok=True)
    onnx.save(graph(model, found.numbers), FOR_YOU.file)
    prove_parity(model, found, cuts(found, params.validation, params.test)[1])
    (FOR_YOU.trained / "facts.json").write_text(json.dumps(told))
    print(f"{told['users']} users, {model.items} items; weights {told['weights']}, attention {told['steepness']:.2f}")


def trained(found: Choices, params: Params) -> tuple[Model, Mapping[str, Any]]:
    """The model, and what the card tells of it."""
    shape = Shape(params.factors, params.penalty, params.confidence, params.category_weight)
    first, second = cuts(found, params.validation, params.test)
    early = fit(known_at(found, first), shape, params.rounds, params.seed)
    parts, steepness = weighed(early, found, known_at(between(found, first, second), second))
    known = known_at(found, second)
    model = replace(fit(known, shape, params.rounds, params.seed), parts=parts)
    told = {
        "weights": dict(zip(PARTS, parts, strict=True)),
        "steepness": steepness,
        "users": len(np.unique(known.user[known.grade > 0])),
        "learnt_from": len(np.unique(known.search)),
        "test_from": second,
    }
    return model, told


def weighed(model: Model, found: Choices, shown: Choices) -> tuple[tuple[float, float, float], float]:
    """How much each part of a score says of being chosen, and how fast attention falls."""
    rows, chosen, positions = examples(model, found, shown)
    spread = np.where(rows.std(0) > 1e-6, rows.std(0), np.inf)  # what never varies says nothing
    if not chosen.any() or chosen.all():
        return (1.0, 1.0, 1.0), 0.0
    inputs = np.column_stack([rows / spread, np.log(positions)])
    fitted = LogisticRegression(max_iter=1000).fit(inputs, chosen)
    # A taste is never held against somebody: a negative weight would be chance.
    own, of_category, popular = (max(0.0, float(value)) for value in fitted.coef_[0][:3] / spread)
    return (own, of_category, popular), float(-fitted.coef_[0][3])


def examples(model: Model, found: Choices, shown: Choices) -> tuple[Floats, Any, Floats]:
    """The parts of the score of everything that was shown to somebody with a history at that moment."""
    rows, chosen, positions = [], [], []
    for search in np.unique(shown.search):
        at = np.flatnonzero(shown.search == search)
        known = found.chosen_before(int(shown.user[at[0]]), float(shown.shown_at[at[0]]), HISTORY)
        if known:
            taste = model.taste(known, found.categories)
            rows.append(model.each(taste, shown.item[at], found.categories))
            chosen.append(shown.grade[at] > 0)
            positions.append(shown.position[at].astype(np.float64))
    if not rows:
        return np.zeros((0, len(PARTS))), np.zeros(0, bool), np.zeros(0)
    return np.concatenate(rows), np.concatenate(chosen), np.concatenate(positions)


def prove_parity(model: Model, found: Choices, moment: float) -> None:
    """The file that will be served answers as what was fitted does, from the features that serving makes."""
    users = np.unique(found.user[found.grade > 0])[:20]
    for user in users.tolist():
        items = np.arange(min(len(found.numbers), 50))
        known = found.chosen_before(user, moment, HISTORY)
        told = run(FOR_YOU.file, inputs_of(asked_of(found, known, items)))["score"][0, : len(items)]
        wanted = model.scores(model.taste(known, found.categories), items, found.categories)
        if np.abs(told - wanted).max() > 1e-3 * max(1.0, float(np.abs(wanted).max())):
            raise ValueError(f"ONNX and the fit differ by {np.abs(told - wanted).max()}")


if __name__ == "__main__":
    main()
