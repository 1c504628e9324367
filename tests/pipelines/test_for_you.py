"""for_you learns from nothing that came later, and gives somebody what people with like tastes chose."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from models.for_you.features import CANDIDATES, Asked, Choosable, Chosen, features, number
from pipelines import artefact, waiting
from pipelines.for_you import choices, train
from pipelines.for_you.asked import asked_of
from pipelines.for_you.choices import Choices
from pipelines.for_you.factors import popularity
from pipelines.parameters import load
from pipelines.simulate.learning import NotLearnt
from pipelines.simulate.memory import MemoryPlatform
from pipelines.simulate.rehearsal import made, workspace
from tests.pipelines.use import used
from tests.platform import ROOT

PARAMS = load(train.Params, ROOT / "pipelines/for_you/params.yaml", "train")


@pytest.fixture(scope="module")
def folder(platform: MemoryPlatform, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made("for_you", workspace("for_you", tmp_path_factory.mktemp("for_you"), platform))


@pytest.fixture(scope="module")
def found(folder: Path) -> Choices:
    return choices.read(folder / "prepared" / "choices.npz")


@pytest.fixture(scope="module")
def session(folder: Path) -> Any:
    return artefact.open_session(folder / "model" / "model.onnx")


def scores(session: Any, candidates: list[Choosable], history: list[Chosen]) -> list[float]:
    told = session.run(["score"], features(Asked(candidates, history)))[0]
    return [float(score) for score in told[0, : len(candidates)]]


def test_a_choice_is_known_from_when_it_was_made(found: Choices) -> None:
    user = int(found.user[np.argmax(found.grade > 0)])
    moments = np.sort(found.done_at[(found.user == user) & (found.grade > 0)])
    assert found.chosen_before(user, float(moments[0]), 50) == []
    assert len(found.chosen_before(user, float(moments[0]) + 0.001, 50)) == 1
    assert len(found.chosen_before(user, np.inf, 3)) == min(3, len(moments))


def test_the_last_part_changes_nothing_that_is_learnt(found: Choices) -> None:
    _, second = choices.cuts(found, PARAMS.validation, PARAMS.test)
    changed = found.part(np.arange(len(found.grade)))
    changed.grade[found.shown_at >= second] = 3
    changed.done_at[found.shown_at >= second] = found.shown_at.max() + 1
    once, again = (train.trained(one, PARAMS)[0] for one in (found, changed))
    assert np.array_equal(once.table, again.table)
    assert once.parts == again.parts


def test_it_beats_the_order_without_a_model_and_what_is_popular_later_on(folder: Path) -> None:
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["test_users"] > 40
    for baseline in ("unranked", "popular"):
        assert metrics["ndcg_for_you"] > metrics[f"ndcg_{baseline}"]
        assert metrics["recall_10_for_you"] > metrics[f"recall_10_{baseline}"]
    assert metrics["gain_over_unranked"] > 0.02


def test_training_sees_the_features_that_serving_makes(found: Choices, session: Any) -> None:
    """The arrays of a moment of the log, byte for byte; that the file solves what the fit solves, training proves."""
    user = int(found.user[np.argmax(found.grade > 0)])
    known = found.chosen_before(user, np.inf, 50)
    asked = asked_of(found, known, np.arange(20))
    items = {str(found.ids[at]): at for at in range(len(found.ids))}
    served = Asked(
        [Choosable(UUID(str(found.ids[at])), asked.candidates[at].category) for at in range(20)],
        [Chosen(one.item_id, one.category, one.grade) for one in asked.history],
    )
    for name, array in features(served).items():
        assert array.tobytes() == features(asked)[name].tobytes()
    assert [items[str(one.item_id)] for one in asked.history] == [item for item, _ in known]
    assert [number(one.item_id) for one in asked.history] == [int(found.numbers[item]) for item, _ in known]


def test_who_chose_cats_gets_cats(session: Any) -> None:
    new = [Choosable(UUID(int=at), name) for at, name in enumerate(("dog", "cat", "food", "vehicle"), 1)]
    cats = [Chosen(UUID(int=100 + at), "cat", 2) for at in range(5)]
    assert int(np.argmax(scores(session, new, cats))) == 1
    dogs = [Chosen(UUID(int=100 + at), "dog", 2) for at in range(5)]
    assert int(np.argmax(scores(session, new, dogs))) == 0


def test_who_chose_nothing_gets_what_is_popular(found: Choices, session: Any, folder: Path) -> None:
    """And an item that nobody knows counts as the average."""
    known = asked_of(found, [], np.arange(30)).candidates
    given = scores(session, [*known, Choosable(UUID(int=1), "cat")], [])
    weight = json.loads((folder / "trained" / "facts.json").read_text())["weights"]["popularity"]
    second = choices.cuts(found, PARAMS.validation, PARAMS.test)[1]
    popular = popularity(choices.known_at(found, second))[:30]
    assert given[:-1] == pytest.approx((weight * popular).tolist(), abs=1e-4)
    assert given[-1] == pytest.approx(0.0, abs=1e-6)


def test_the_order_of_candidates_does_not_matter(found: Choices, session: Any) -> None:
    asked = asked_of(found, found.chosen_before(0, np.inf, 50), np.arange(40))
    given = scores(session, asked.candidates, asked.history)
    turned = scores(session, asked.candidates[::-1], asked.history)
    assert turned[::-1] == pytest.approx(given, abs=1e-6)


def test_what_somebody_chose_more_pulls_harder(session: Any) -> None:
    new = [Choosable(UUID(int=1), "cat"), Choosable(UUID(int=2), "food")]

    def ahead(grade: int) -> float:
        cat, food = scores(session, new, [Chosen(UUID(int=9), "cat", grade), Chosen(UUID(int=8), "food", 1)])
        return cat - food

    assert ahead(3) > ahead(2) > ahead(1)


def test_the_artefact_keeps_its_promises(folder: Path) -> None:
    manifest = artefact.verify(folder / "model")
    assert {"orders.png", "places.png", "card.md"} <= manifest.files.keys()
    assert manifest.outputs[0].shape == (-1, CANDIDATES)
    assert "users who had chosen something before" in (folder / "model" / "card.md").read_text("utf-8")


def test_the_same_log_makes_the_same_model(folder: Path, platform: MemoryPlatform, tmp_path: Path) -> None:
    again = made("for_you", workspace("for_you", tmp_path, platform))
    hashes = [artefact.model_hash(artefact.verify(one / "model")) for one in (folder, again)]
    assert hashes[0] == hashes[1]


def test_with_too_little_it_waits_and_says_for_what(tmp_path: Path) -> None:
    folder = workspace("for_you", tmp_path, used(people=4, rounds=1, searches=2))
    with pytest.raises(NotLearnt, match="needed"):
        made("for_you", folder)
    why = waiting.why(folder / "data" / "for_you" / "model") or ""
    assert "are needed" in why


def test_without_a_warehouse_it_waits(tmp_path: Path) -> None:
    waiting.wait(tmp_path / "data/for_you/snapshot", "there is no warehouse to learn from")
    (tmp_path / "pipelines/for_you").mkdir(parents=True)
    (tmp_path / "pipelines/for_you/params.yaml").write_text((ROOT / "pipelines/for_you/params.yaml").read_text())
    with pytest.raises(NotLearnt, match="there is no warehouse to learn from"):
        made("for_you", tmp_path)
