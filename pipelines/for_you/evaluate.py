"""Judge the ONNX file that will be served on later pages; write its artefact and its card.

    dvc repro pipelines/for_you/dvc.yaml:evaluate

Each page is judged with what its user had chosen before it, made into features by the function that serving
uses. The baselines: the order it had without a model, and what is popular, as it was known when the last part began.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np

from models.for_you.contract import contract
from models.for_you.features import CANDIDATES, HISTORY, Asked, Choosable, Chosen, raw
from pipelines import artefact
from pipelines.card import card, table
from pipelines.for_you.asked import asked_of, inputs_of
from pipelines.for_you.choices import FOR_YOU, Choices, Floats, Ints, between, known_at, read
from pipelines.for_you.factors import popularity
from pipelines.interactions.judging import PLACES, compared, interval, measured, rounded
from pipelines.interactions.ordering import Search
from pipelines.interactions.ranker import TOLD
from pipelines.parameters import load

WAYS = {
    "for_you": "this model",
    "unranked": "unranked: the order without a model",
    "popular": "popularity: most often chosen where it was looked at",
}


@dataclass(frozen=True)
class Params:
    repeats: int


@dataclass(frozen=True)
class Judged:
    """A later page with a choice: what was known of its user then, and the places of its items."""

    search: Search
    chosen: list[tuple[int, int]]
    items: Ints
    unasked: bool


def main() -> None:
    params = load(Params, "pipelines/for_you/params.yaml", "evaluate")
    if FOR_YOU.waits():
        return
    facts = FOR_YOU.facts()
    found = read(FOR_YOU.prepared / "choices.npz")
    pages = judged(found, facts["test_from"])
    ways = scored(found, pages, facts["test_from"])
    searches = [one.search for one in pages]
    metrics = measured(searches, ways, facts["steepness"], params.repeats)
    metrics |= apart(pages, ways, facts["steepness"], params.repeats) | new_items(found, pages, facts["test_from"])
    FOR_YOU.draw(metrics, searches, ways)
    raws, weights = [raw(one) for one in examples(found)], {"weights": reference(pages)}
    FOR_YOU.write(contract(), raws, rounded(metrics), weights, described(metrics, facts))


def judged(found: Choices, since: float) -> list[Judged]:
    """Pages from a moment on, that had something to choose between and a choice."""
    later = between(found, since)
    order = np.argsort(later.search, kind="stable")
    ends = np.flatnonzero(np.diff(later.search[order])) + 1
    pages = [_judged(found, later, np.sort(rows)[:CANDIDATES]) for rows in np.split(order, ends) if len(rows) > 1]
    return [one for one in pages if one.search.grades.any()]


def _judged(found: Choices, later: Choices, rows: Ints) -> Judged:
    user, at = int(later.user[rows[0]]), float(later.shown_at[rows[0]])
    search = Search(str(found.users[user]), at, later.position[rows], later.default_position[rows], later.grade[rows])
    return Judged(search, found.chosen_before(user, at, HISTORY), later.item[rows], bool(later.unasked[rows[0]]))


def scored(found: Choices, pages: Sequence[Judged], since: float) -> dict[str, list[Floats]]:
    """What each way says of each page's items, the served file first."""
    popular = popularity(known_at(found, since))
    return {
        "for_you": served(found, pages),
        "unranked": [-one.search.default_positions.astype(np.float64) for one in pages],
        "popular": [popular[one.items] for one in pages],
    }


def served(found: Choices, pages: Sequence[Judged]) -> list[Floats]:
    """What the file that will be served says."""
    session = artefact.open_session(FOR_YOU.file)
    asked = (inputs_of(asked_of(found, one.chosen, one.items)) for one in pages)
    return [
        np.asarray(session.run(["score"], dict(inputs))[0][0, : len(one.items)], np.float64)
        for inputs, one in zip(asked, pages, strict=True)
    ]


def apart(
    pages: Sequence[Judged], ways: Mapping[str, Sequence[Floats]], steepness: float, repeats: int
) -> dict[str, float]:
    """The same of some pages alone: users who had chosen something, users who had not, pages without a question."""
    kinds = {
        "known": [bool(one.chosen) for one in pages],
        "new": [not one.chosen for one in pages],
        "unasked": [one.unasked for one in pages],
    }
    numbers: dict[str, float] = {}
    for kind, picked in kinds.items():
        rows = np.flatnonzero(picked).tolist()
        if rows:
            part = {name: [scores[row] for row in rows] for name, scores in ways.items()}
            told = measured([pages[row].search for row in rows], part, steepness, repeats)
            numbers |= {f"{kind}_{name}": value for name, value in told.items()}
    return numbers


def new_items(found: Choices, pages: Sequence[Judged], since: float) -> dict[str, float]:
    """The part of what was shown that nobody had been shown before: known by its category alone."""
    seen = np.zeros(len(found.numbers), bool)
    seen[known_at(found, since).item] = True
    shown = np.concatenate([one.items for one in pages])
    return {"new_items": float(1 - seen[shown].mean())}


def described(metrics: Mapping[str, float], facts: Mapping[str, Any]) -> str:
    """The card, in words; every number comes from the run."""
    return card(
        contract(),
        {
            "What it is for": "Chooses what somebody sees without having asked for anything, on the first page: of "
            "what is popular, new, of the categories they click and like the pictures they chose, what people with "
            "like tastes chose. Users in the experiment's group `ranker` get its choice, everybody else what is "
            "popular, which also serves when it is late or away, and whoever has chosen nothing yet.",
            "How good it is": quality(metrics) + "\n\n![Orders compared](orders.png)\n\nWhere it puts what was "
            "clicked, and where that had stood; the last column is where it is most wrong:\n\n![Places](places.png)",
            "How it is made": making(facts),
            "Data": data(metrics, facts),
            "Limits": "It learns from what was shown: what nobody was shown it cannot know. An item that came after "
            "the training is known by its category alone, until the next. Users are not kept: a taste is what "
            "somebody's last choices say, so who has made few gets little more than what is popular.",
        },
    )


def quality(metrics: Mapping[str, float]) -> str:
    """Each order beside the others, over all pages and over some."""
    kinds = {
        "known": "users who had chosen something before",
        "new": "users who had chosen nothing before",
        "unasked": "pages without a question",
    }
    rows = [
        (
            told,
            f"{metrics[f'{kind}_test_searches']:.0f}",
            *(str(interval(metrics, f"{kind}_ndcg_{way}")) for way in WAYS),
            str(interval(metrics, f"{kind}_gain_over_popular")),
        )
        for kind, told in kinds.items()
        if f"{kind}_test_searches" in metrics
    ]
    head = ("of", "pages", *(told.partition(":")[0] for told in WAYS.values()), "gained over popularity")
    return f"{compared(metrics, WAYS)}\n\nNDCG@10 of some alone:\n\n{table(head, rows)}"


def making(facts: Mapping[str, Any]) -> str:
    """What was fitted."""
    rows = [(name, f"{weight:.3f}") for name, weight in facts["weights"].items()]
    return (
        "Alternating least squares on what was chosen (a click counts 1, a long view 2, a like 3), where a category "
        "takes part like an item that is chosen with each of its items: that is what is known of an item nobody has "
        "chosen yet. A user's taste is solved for inside the served file from their last choices. The score is a sum, "
        "with weights from searches after those the factors come from; position took part in that fit as one more "
        f"feature (a place is looked at with one over its number to the power of {facts['steepness']:.2f}):\n\n"
        f"{table(('part', 'weight'), rows)}"
    )


def data(metrics: Mapping[str, float], facts: Mapping[str, Any]) -> str:
    """Whose log it was."""
    return (
        f"{TOLD[facts['whose']]} {facts['impressions']} impressions to {facts['users']} users of {facts['items']} "
        f"items, {facts['chosen']} choices, as the warehouse had them; {facts['learnt_from']} searches to learn from, "
        f"the later ones to judge by. Of what those showed, {100 * metrics['new_items']:.1f} % had never been shown "
        "before. A page is judged with what its user had chosen until then."
    )


def examples(found: Choices) -> list[Asked]:
    """Questions that every host tries: somebody who chose known items, somebody with an unknown one, and nobody."""
    items = np.arange(min(len(found.numbers), 10))
    known = [(int(item), 1 + int(item) % 3) for item in items[:3]]
    stranger = Chosen(UUID(int=1), "cat", 3)
    new = [Choosable(UUID(int=2), "cat"), Choosable(UUID(int=3), None)]
    return [asked_of(found, known, items), Asked(new, [stranger]), asked_of(found, [], items)]


def reference(pages: Sequence[Judged]) -> dict[str, float]:
    """How long histories were, to compare live ones with."""
    lengths = np.array([len(one.chosen) for one in pages], np.float64)
    return {"mean_history": round(float(lengths.mean()), PLACES), "spread": round(float(lengths.std()), PLACES)}


if __name__ == "__main__":
    main()
