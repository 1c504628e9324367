"""The closed loop, small: people use a platform, it learns from that, and orders better by the hidden truth."""

import asyncio

import pytest

from pipelines.simulate import loop, measuring
from pipelines.simulate.acting import plan
from pipelines.simulate.rehearsal import rehearsed
from pipelines.simulate.world import Nature, World

SIZES = loop.Sizes(rounds=3, searches=2, judged=2)


@pytest.fixture(scope="module")
def world() -> World:
    return World(Nature(seed=1))


@pytest.fixture(scope="module")
def ended(world: World) -> loop.Loop:
    return asyncio.run(rehearsed(world, [world.person(number) for number in range(60)], SIZES))


def test_after_learning_results_are_better_by_the_truth(world: World, ended: loop.Loop) -> None:
    assert loop.gains(world, ended, "ranker").low > 0.1
    control = loop.gains(world, ended, "default")
    assert control.low == control.high == 0.0


def test_it_is_the_model_and_not_what_became_popular(world: World, ended: loop.Loop) -> None:
    pages = measuring.of_group(ended.after.searches, "ranker")
    served = loop.truth(world, pages, "served")
    for other in ("default", "most liked"):
        assert measuring.gain(loop.truth(world, pages, other), served).low > 0
    assert measuring.gain(served, loop.truth(world, pages, "oracle")).low > 0


def test_what_nobody_asked_for_is_better_too(world: World, ended: loop.Loop) -> None:
    before, after = loop.shelves(world, ended, "ranker")
    assert measuring.gain(before, after).low > 0.05


def test_people_click_more_of_it(ended: loop.Loop) -> None:
    ranked, default = (measuring.of_group(ended.after.searches, group) for group in loop.GROUPS)
    assert measuring.ctr_gain(default, ranked).low > 0


def test_the_report_says_so(world: World, ended: loop.Loop) -> None:
    told = loop.report(world, ended)
    for words in ("before", "after", "oracle", "most liked", "CTR, group ranker"):
        assert words in told
    assert str(loop.gains(world, ended, "ranker")) in told


def test_nothing_hangs_on_chance(world: World) -> None:
    """The same seed asks and does the same; another one does not."""
    people = [world.person(number) for number in range(5)]
    other = World(Nature(seed=2))
    assert plan(world, people, 3) == plan(World(Nature(seed=1)), people, 3)
    assert plan(world, people, 3) != plan(other, [other.person(number) for number in range(5)], 3)
