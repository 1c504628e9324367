"""search_ranking learns from nothing that came later, undoes what position does, and beats the baselines later on."""

import json
from pathlib import Path

import numpy as np
import pytest

from models.search_ranking.features import NAMES
from pipelines import artefact, waiting
from pipelines.interactions.log import Log, joined, read
from pipelines.search_ranking import searches, train
from pipelines.search_ranking.searches import Searched, dealt
from pipelines.simulate.learning import NotLearnt
from pipelines.simulate.memory import MemoryPlatform
from pipelines.simulate.rehearsal import made, workspace
from tests.pipelines.use import used

PARAMS = train.Params(strengths=[0.03, 0.3], least=20)


@pytest.fixture(scope="module")
def folder(platform: MemoryPlatform, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made("search_ranking", workspace("search_ranking", tmp_path_factory.mktemp("ranking"), platform))


@pytest.fixture(scope="module")
def log(folder: Path) -> Log:
    return read(folder / "snapshot")


def test_no_event_after_a_search_gets_into_its_features(platform: MemoryPlatform, log: Log) -> None:
    """The log as it was known in the middle gives the same features for everything until then."""
    whole = searches.searches(log.impressions)
    middle = whole[len(whole) // 2].search.shown_at
    tables = {
        name: [row for row in rows if next(row[when] for when in MOMENTS if when in row).timestamp() < middle]
        for name, rows in platform.tables.items()
    }
    known = joined(
        [row | {"features": json.dumps(row["features"])} for row in tables["impressions"]],
        tables["actions"], tables["likes"], [],
    )  # fmt: skip
    early = searches.searches(known.impressions)
    earlier = [one for one in whole if one.search.shown_at < middle]
    assert len(early) == len(earlier) > 200
    for one, other in zip(early, earlier, strict=True):
        assert one.features.tobytes() == other.features.tobytes()


MOMENTS = ("shown_at", "acted_at", "at")


def test_what_is_learnt_from_was_over_before_the_next_part(log: Log) -> None:
    found = searches.searches(log.impressions)
    late = next(one for one in found if one.search.grades.any())
    late = Searched(late.search, late.group, late.ranker, late.features, found[-1].search.shown_at)
    parts = dealt([late, *found], 0.15, 0.2)
    begins = [min(one.search.shown_at for one in parts[name]) for name in ("validation", "test")]
    for name, begin in zip(("train", "validation"), begins, strict=True):
        assert max(one.settled_at for one in parts[name]) < begin
    assert late not in parts["train"]
    assert len(parts["test"]) == pytest.approx(0.2 * len(found), abs=2)


def test_what_comes_later_changes_nothing_that_is_learnt(log: Log) -> None:
    found = searches.searches(log.impressions)
    parts = dealt(found, 0.15, 0.2)
    _, steepness = train.trials(parts["train"], parts["validation"], PARAMS)
    again = dealt([one for one in found if one.search.shown_at < parts["test"][0].search.shown_at], 0.15 / 0.8, 0.0)
    assert train.trials(again["train"], again["validation"], PARAMS)[1] == steepness


def test_it_beats_the_default_order_and_what_is_popular_later_on(folder: Path) -> None:
    metrics = json.loads((folder / "metrics.json").read_text())
    for baseline in ("unranked", "most_liked", "most_clicked"):
        assert metrics["ndcg_search_ranking"] > metrics[f"ndcg_{baseline}"]
    assert metrics["recall_10_search_ranking"] > max(metrics["recall_10_unranked"], metrics["recall_10_most_liked"])
    assert metrics["gain_over_unranked_low"] > 0


def test_position_is_undone(folder: Path) -> None:
    """Attention really falls with 0.8; the way that does nothing about it is never taken."""
    facts = json.loads((folder / "trained" / "facts.json").read_text())
    assert 0.5 < facts["steepness"] < 1.3
    assert facts["treatment"] in ("position", "weighted")
    assert facts["tried"].keys() == {"position", "weighted", "naive"}


def test_the_artefact_keeps_its_promises(folder: Path) -> None:
    manifest = artefact.verify(folder / "model")
    assert {"orders.png", "places.png", "card.md"} <= manifest.files.keys()
    card = (folder / "model" / "card.md").read_text("utf-8")
    assert "programs did that play users" in card
    assert "95 % intervals over users" in card


def test_the_same_log_makes_the_same_model(folder: Path, platform: MemoryPlatform, tmp_path: Path) -> None:
    again = made("search_ranking", workspace("search_ranking", tmp_path, platform))
    hashes = [artefact.model_hash(artefact.verify(one / "model")) for one in (folder, again)]
    assert hashes[0] == hashes[1]


def test_a_click_more_ranks_higher_and_the_order_given_does_not_matter(folder: Path) -> None:
    session = artefact.open_session(folder / "model" / "model.onnx")
    rows = np.zeros((3, len(NAMES)), np.float32)
    rows[:, NAMES.index("category_taste")] = (0.0, 1.0, -1.0)
    scores = session.run(["score"], {"features": rows})[0].ravel()
    assert scores[1] > scores[0] > scores[2]
    turned = session.run(["score"], {"features": np.ascontiguousarray(rows[::-1])})[0].ravel()
    assert turned[::-1].tolist() == scores.tolist()


def test_with_too_little_it_waits_and_says_for_what(tmp_path: Path) -> None:
    folder = workspace("search_ranking", tmp_path, used(people=4, rounds=1, searches=2))
    with pytest.raises(NotLearnt, match="needed"):
        made("search_ranking", folder)
    why = waiting.why(folder / "data" / "search_ranking" / "model") or ""
    assert "5000 and 250 of one kind are needed" in why
