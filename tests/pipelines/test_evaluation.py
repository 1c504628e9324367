"""The numbers that decide are computed as they are named."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.evaluation import (
    Costs,
    Thresholds,
    accuracy,
    auc,
    bootstrap,
    choose_thresholds,
    confusion,
    confusion_picture,
    decisions,
    over_splits,
    recall,
)

LABELS = np.array([0, 0, 1, 2])
SAID = np.array([0, 1, 1, 0])


def test_rates() -> None:
    assert accuracy(LABELS, SAID) == 0.5
    assert recall(LABELS, SAID, ["a", "b", "c", "never"]) == {"a": 0.5, "b": 1.0, "c": 0.0}
    assert confusion(LABELS, SAID, 3).tolist() == [[1, 1, 0], [0, 1, 0], [1, 0, 0]]
    assert auc(np.array([False, False, True]), np.array([0.1, 0.6, 0.5])) == 0.5


def test_intervals_hold_the_mean() -> None:
    interval = bootstrap(np.array([0.0] * 30 + [1.0] * 70))
    assert interval.mean == 0.7
    assert 0.55 < interval.low < 0.65 < 0.75 < interval.high < 0.85
    splits = over_splits([0.70, 0.74, 0.72])
    assert splits.mean == pytest.approx(0.72)
    assert splits.high - splits.mean == pytest.approx(4.303 * 0.02 / 3**0.5)


def test_a_clear_cut_needs_no_moderator() -> None:
    scores, bad = np.array([0.1, 0.2, 0.8, 0.9]), np.array([False, False, True, True])
    chosen = choose_thresholds(scores, bad, 10, 5, 1)
    assert chosen == Thresholds(reject=0.5, review=0.5)


def test_a_muddle_is_reviewed_when_that_is_cheaper() -> None:
    scores = np.array([0.1, 0.4, 0.5, 0.6, 0.9])
    bad = np.array([False, True, False, True, True])
    chosen = choose_thresholds(scores, bad, 10, 10, 1)
    assert chosen.review == pytest.approx(0.25)
    assert chosen.reject == pytest.approx(0.55)
    assert decisions(scores, bad, chosen, Costs(10, 10, 1)) == {
        "bad_published": 0.0,
        "bad_reviewed": pytest.approx(1 / 3),
        "good_rejected": 0.0,
        "good_reviewed": 0.5,
        "cost": pytest.approx(2 / 5),
    }


examples = st.lists(st.tuples(st.integers(0, 8), st.booleans()), min_size=1, max_size=9)


@settings(deadline=None, max_examples=200)
@given(examples, st.integers(1, 9), st.integers(1, 9), st.integers(1, 9))
def test_no_pair_of_thresholds_is_cheaper(pairs: list[tuple[int, bool]], p: int, r: int, m: int) -> None:
    scores = np.array([score / 8 for score, _ in pairs])
    bad = np.array([is_bad for _, is_bad in pairs])
    costs = Costs(p, r, m)
    chosen = choose_thresholds(scores, bad, p, r, m)
    cuts = np.linspace(-1 / 16, 17 / 16, 10)
    cheapest = min(
        decisions(scores, bad, Thresholds(reject, review), costs)["cost"]
        for reject in cuts
        for review in cuts
        if review <= reject
    )
    assert chosen.review <= chosen.reject
    assert decisions(scores, bad, chosen, costs)["cost"] == pytest.approx(cheapest)


def test_the_same_matrix_is_the_same_picture(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        confusion_picture(np.array([[3, 1], [0, 4]]), ["good", "bad"], tmp_path / name, "toy")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
