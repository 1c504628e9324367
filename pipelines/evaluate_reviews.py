"""Hold the violation models against what moderators decided, and say which thresholds would have been cheapest.

    scripts/evaluate --reviews [--platform URL] [--accounts FILE | --token TOKEN] [--until MOMENT]

Decisions (`item.reviewed`) are labels, the prediction log has the scores they belong to: both come from the warehouse.
Thresholds are chosen as the evaluation of each model chooses them, for the costs in its params.yaml. Mind what these
labels are: mostly items that a model doubted, so a threshold is only told about scores that moderators saw. Nothing is
changed: who wants other thresholds changes the costs or the data, and lets the pipeline choose.
"""

import argparse
import json
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from models.judges import JUDGES
from pipelines import warehouse
from pipelines.card import table
from pipelines.evaluation import Costs, Thresholds, auc, choose_thresholds, decisions
from pipelines.parameters import read_yaml
from pipelines.platform_client import NoPlatform, add_arguments, client

FEWEST = 20
"""With fewer labels of either kind no threshold is suggested."""

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Label:
    """What a moderator says of one answer of one model."""

    model: str
    version: str
    prediction_id: str
    bad: bool
    suspected: bool


@dataclass(frozen=True)
class Held:
    """One version's labels, with the scores they belong to where the log has them."""

    labels: list[Label]
    scores: dict[str, float]

    @property
    def wrong(self) -> tuple[int, int]:
        """Suspected wrongly, and missed."""
        return (
            sum(label.suspected and not label.bad for label in self.labels),
            sum(label.bad and not label.suspected for label in self.labels),
        )

    @property
    def scored(self) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Scores, and whether each is of something bad."""
        known = [label for label in self.labels if label.prediction_id in self.scores]
        scores = np.array([self.scores[label.prediction_id] for label in known], np.float64)
        return scores, np.array([label.bad for label in known], bool)


def main() -> None:
    """Fetch, join, print."""
    arguments = read_arguments()
    with client(arguments, role="operator") as http, tempfile.TemporaryDirectory() as folder:
        token = http.headers["authorization"].removeprefix("Bearer ")
        try:
            fetched = warehouse.fetch(
                ["reviews", "predictions"], Path(folder), arguments.until, url=arguments.platform, token=token
            )
        except warehouse.NoWarehouse as error:
            raise NoPlatform(f"the warehouse does not answer: {error}") from error
        print(f"Decisions of moderators until {fetched.until} (snapshot {fetched.sha256[:12]}):\n")
        print(report(held(Path(folder))))


def held(folder: Path) -> dict[tuple[str, str], Held]:
    """Labels and scores by model and version."""
    found: dict[tuple[str, str], list[Label]] = defaultdict(list)
    for label in labels(warehouse.rows(folder / "reviews.parquet")):
        found[label.model, label.version].append(label)
    wanted = {label.prediction_id for several in found.values() for label in several}
    of_judges = ", ".join(f"'{name}'" for name in JUDGES)
    sql = f"SELECT prediction_id, outputs FROM snapshot WHERE model IN ({of_judges})"  # noqa: S608
    logged = warehouse.rows(folder / "predictions.parquet", sql) if wanted else iter(())
    scores = {str(row["prediction_id"]): score(row) for row in logged if str(row["prediction_id"]) in wanted}
    known = {name: value for name, value in scores.items() if value is not None}
    return {which: Held(several, known) for which, several in sorted(found.items())}


def labels(reviews: Iterable[Row]) -> Iterator[Label]:
    """One for each model that a decision says something of. What was taken back says nothing; the last one counts."""
    rows = list(reviews)
    undone = {str(row["decision_id"]) for row in rows if row["decision"] == "undo"}
    standing: dict[tuple[str, int], Row] = {}
    for row in rows:
        if row["decision"] != "undo" and str(row["decision_id"]) not in undone:
            standing[str(row["item_id"]), int(row["revision"])] = row
    for row in standing.values():
        reasons, used = nested(row["reasons"]), nested(row["models"])
        for model in JUDGES.keys() & used.keys():
            fine, bad = row["decision"] == "publish", row["label"] in JUDGES[model]
            if used[model]["served_by"] == "model" and (fine or bad):
                suspected = any(one["by"] == model and one["kind"] in ("picture", "text") for one in reasons)
                yield Label(model, used[model]["version"], str(used[model]["prediction_id"]), bad, suspected)


def score(row: Row) -> float | None:
    """How sure the answer was of any violation; None where the log keeps no numbers."""
    violation = (nested(row["outputs"]) or {}).get("violation") or {}
    data = violation.get("data") or []
    return 1.0 - float(data[0]) if data else None


def report(found: Mapping[tuple[str, str], Held]) -> str:
    """One line for each version, and what its labels would choose."""
    if not found:
        return "No decision says anything of a model yet."
    header = ("model", "version", "labels", "bad", "suspected wrongly", "missed", "AUC", "cheapest thresholds", "cost")
    return table(header, [_line(model, version, one) for (model, version), one in found.items()])


def _line(model: str, version: str, one: Held) -> tuple[Any, ...]:
    scores, bad = one.scored
    enough = min(int(bad.sum()), int((~bad).sum())) >= FEWEST
    chosen = cheapest(model, scores, bad) if enough else None
    return (
        model,
        version,
        len(one.labels),
        sum(label.bad for label in one.labels),
        *one.wrong,
        f"{auc(bad, scores):.3f}" if enough else "",
        f"reject {chosen.reject:.4f}, review {chosen.review:.4f}" if chosen else f"fewer than {FEWEST} of a kind",
        f"{decisions(scores, bad, chosen, costs(model))['cost']:.3f}" if chosen else "",
    )


def cheapest(model: str, scores: np.ndarray[Any, Any], bad: np.ndarray[Any, Any]) -> Thresholds:
    """As the model's own evaluation chooses."""
    stated = costs(model)
    return choose_thresholds(scores, bad, stated.publish_bad, stated.reject_good, stated.review)


def costs(model: str) -> Costs:
    """What the model's pipeline says that a wrong or slow decision costs."""
    stated = read_yaml(Path("pipelines") / model / "params.yaml")["evaluate"]
    return Costs(*(float(stated[f"cost_{name}"]) for name in ("publish_bad", "reject_good", "review")))


def nested(value: Any) -> Any:
    """JSON as the snapshot has it."""
    return json.loads(value) if isinstance(value, str) else value


def read_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="scripts/evaluate --reviews")
    parser.add_argument("--until", type=datetime.fromisoformat, help="only what was decided before (with its zone)")
    add_arguments(parser)
    return parser.parse_args()


if __name__ == "__main__":
    main()
