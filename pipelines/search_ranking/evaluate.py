"""Judge the ONNX file that will be served on later searches; write its artefact and its card.

    dvc repro pipelines/search_ranking/dvc.yaml:evaluate

The baselines: the unranked order (what search gives without a ranker), the most liked first, and what is
clicked most where it was looked at. All intervals come from drawing whole users again.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.search_ranking.contract import contract
from models.search_ranking.features import NAMES, Asked, Candidate, Use, User, raw
from pipelines import artefact
from pipelines.card import card, table
from pipelines.interactions.judging import PLACES, compared, interval, measured, rounded
from pipelines.interactions.ordering import by_user
from pipelines.interactions.ranker import TOLD
from pipelines.parameters import load
from pipelines.search_ranking.searches import SEARCH_RANKING, Searched, read

Order = Callable[[Searched], NDArray[np.float64]]


@dataclass(frozen=True)
class Params:
    repeats: int


def main() -> None:
    params = load(Params, "pipelines/search_ranking/params.yaml", "evaluate")
    if SEARCH_RANKING.waits():
        return
    facts = SEARCH_RANKING.facts()
    found = read(SEARCH_RANKING.prepared / "test.npz")
    judged = [one for one in found if one.search.grades.any()]
    searches = [one.search for one in judged]
    ways = {name: [order(one) for one in judged] for name, order in orders().items()}
    metrics = measured(searches, ways, facts["steepness"], params.repeats) | clicked(found, params)
    SEARCH_RANKING.draw(metrics, searches, ways)
    raws, features = [raw(one) for one in examples()], {"features": reference(judged)}
    SEARCH_RANKING.write(contract(), raws, rounded(metrics), features, described(metrics, facts))


def orders() -> dict[str, Order]:
    """Each way to order results, by name, the served file first."""
    return {
        "search_ranking": served(),
        "unranked": lambda one: -one.search.default_positions.astype(np.float64),
        "most_liked": lambda one: _feature(one, "likes"),
        "most_clicked": lambda one: _feature(one, "rate"),
    }


def served() -> Order:
    """What the file that will be served says."""
    session = artefact.open_session(SEARCH_RANKING.file)
    return lambda one: np.asarray(session.run(["score"], {"features": one.features})[0][:, 0], np.float64)


def _feature(one: Searched, name: str) -> NDArray[np.float64]:
    return np.asarray(one.features[:, NAMES.index(name)], np.float64)


def clicked(found: Sequence[Searched], params: Params) -> dict[str, float]:
    """What really happened in the last part, by who ordered it: searches with a click."""
    numbers: dict[str, float] = {}
    for ranker in sorted({one.ranker for one in found}):
        part = [one for one in found if one.ranker == ranker]
        clicks = [float(one.search.grades.any()) for one in part]
        numbers |= by_user([one.search.subject for one in part], clicks, [1.0] * len(part), params.repeats).named(
            f"clicked_{ranker}"
        )
        numbers[f"searches_{ranker}"] = len(part)
    return numbers


def described(metrics: Mapping[str, float], facts: Mapping[str, Any]) -> str:
    """The card, in words; every number comes from the run."""
    return card(
        contract(),
        {
            "What it is for": "Search finds by words or category; this puts first what the one who asks will "
            "probably click, look at for long and like. Users in the experiment's group `ranker` get its order, "
            "everybody else the order things were found in, which also serves when it is late or away.",
            "How good it is": quality(metrics) + "\n\n![Orders compared](orders.png)\n\nWhere it puts what was "
            "clicked, and where that had stood; the last column is where it is most wrong:\n\n![Places](places.png)",
            "How it is made": making(facts),
            "Data": data(facts),
            "Limits": "It learns from what was shown: what nobody was shown it cannot know. Figures from a log favour "
            "the order that made the log; the A/B test says what is true. A user without any clicks gets what suits "
            "everybody. It knows ten categories and two languages as tastes.",
        },
    )


def quality(metrics: Mapping[str, float]) -> str:
    """Each order beside the others."""
    ways = {
        "search_ranking": "this model",
        "unranked": "unranked: the order search finds in",
        "most_liked": "popularity: most liked first",
        "most_clicked": "popularity: most clicked where it was looked at",
    }
    return f"{compared(metrics, ways)}\n\n{happened(metrics)}"


def happened(metrics: Mapping[str, float]) -> str:
    """What people did with the orders they really got."""
    rankers = [name.removeprefix("searches_") for name in metrics if name.startswith("searches_")]
    rows = [(name, int(metrics[f"searches_{name}"]), str(interval(metrics, f"clicked_{name}"))) for name in rankers]
    return "Searches in the same time that had a click, by who ordered them:\n\n" + table(
        ("ordered by", "searches", "with a click"), rows
    )


def making(facts: Mapping[str, Any]) -> str:
    """What was fitted, and what was tried."""
    rows = [(name, way["strength"], way["ndcg"]) for name, way in facts["tried"].items()]
    weights = zip(NAMES, *facts["weights"], strict=True)
    return (
        "Three logistic regressions, of being clicked, looked at for long and liked; the score is what these chances "
        "are worth (1, 2 more, 4 more). What stands high is clicked more whatever it is; the ways to deal with that, "
        f"on the validation searches:\n\n{table(('way', 'inverse penalty', 'NDCG@10'), rows)}\n\n`position` "
        "learns it as a feature that is 1 when serving, `weighted` weighs clicks, `naive` does nothing and is never "
        f"taken. Taken: `{facts['treatment']}`. Measured on the way: a place is looked at with one over its number to "
        f"the power of {facts['steepness']:.2f}.\n\n"
        f"{table(('feature', 'clicked', 'looked at for long', 'liked'), weights)}"
    )


def data(facts: Mapping[str, Any]) -> str:
    """Whose log it was."""
    return (
        f"{TOLD[facts['whose']]} {facts['impressions']} impressions and {facts['clicks']} clicks, as the warehouse "
        f"had them; {facts['searches']} searches, dealt by time: {facts['train']} to learn from, "
        f"{facts['validation']} to choose by, {facts['test']} to judge by. The features are those that were "
        "served then, from the log."
    )


def examples() -> list[Asked]:
    """Searches that every host tries: somebody known, and nobody."""
    cats = [Candidate(title=f"猫の写真 {at}", category="cat", likes=at, age_hours=5.0 * at, fit=0.5) for at in range(3)]
    dog = Candidate(title="A dog", category="dog", likes=2, age_hours=1.0, fit=0.4, taste=0.3, use=Use(4.0, 1.0, 1.0))
    known = User({"category:dog": 9.0, "category:cat": 5.0}, {"category:dog": 4.0})
    return [Asked([*cats, dog], "cat dog", None, known), Asked([dog, *cats], "", "cat")]


def reference(judged: Sequence[Searched]) -> dict[str, dict[str, float]]:
    """How each feature lay, to compare live ones with."""
    rows = np.concatenate([one.features for one in judged]).astype(np.float64)
    mean, spread = rows.mean(0).round(PLACES).tolist(), rows.std(0).round(PLACES).tolist()
    return {name: {"mean": mean[at], "spread": spread[at]} for at, name in enumerate(NAMES)}


if __name__ == "__main__":
    main()
