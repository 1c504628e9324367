"""Intervals hold what they promise, on data whose truth is known."""

import random

import pytest

from services.warehouse.intervals import Sums, difference, wilson


def drawn(users: int, rate: float, spread: float, seed: int) -> Sums:
    """Users who see 20 results each; what one user does is alike."""
    chance = random.Random(seed)
    found = [
        sum(chance.random() < own for _ in range(20))
        for own in (min(1.0, max(0.0, chance.gauss(rate, spread))) for _ in range(users))
    ]
    return Sums(users, sum(found), 20 * users, sum(n * n for n in found), 400.0 * users, sum(20.0 * n for n in found))


def test_the_interval_of_a_rate_holds_the_truth_as_often_as_it_says() -> None:
    held = sum((found := drawn(80, 0.3, 0.1, seed).interval()).low <= 0.3 <= found.high for seed in range(300))
    assert 0.92 <= held / 300 <= 0.98


def test_no_difference_is_seen_where_there_is_none_and_one_where_there_is() -> None:
    alike = [difference(drawn(60, 0.3, 0.1, seed), drawn(60, 0.3, 0.1, seed + 1000))[1] for seed in range(200)]
    assert alike.count("no difference seen") >= 180
    assert difference(drawn(200, 0.2, 0.05, 1), drawn(200, 0.3, 0.05, 2))[1] == "higher"
    assert difference(drawn(200, 0.3, 0.05, 1), drawn(200, 0.2, 0.05, 2))[1] == "lower"


def test_of_few_users_nothing_is_said() -> None:
    assert difference(drawn(29, 0.1, 0.01, 1), drawn(200, 0.9, 0.01, 2))[1] == "too few users"


def test_a_rate_of_nothing_may_be_anything() -> None:
    assert (wilson(0, 0).low, wilson(0, 0).high) == (0.0, 1.0)
    assert Sums(0, 0, 0, 0, 0, 0).interval() == wilson(0, 0)
    none = wilson(0, 10)
    assert none.low == 0.0
    assert none.high == pytest.approx(0.278, abs=0.001)
