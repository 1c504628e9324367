"""A/B test: constant for a user, a share of them, the champion where the challenger fails."""

import asyncio

import pytest

from models.refusal import ContractBroken
from services.patterns.ab_test import CHALLENGER_FAILED, ab_test, group_of
from services.prediction import NotLoaded, Predict, Prediction
from tests.patterns.answering import Model, request
from tests.patterns.virtual_time import in_virtual_time

USERS = [f"user-{number}" for number in range(2000)]


def between(challenger: Model, share: float = 1.0, exposures: list[tuple[str, str]] | None = None) -> Predict:
    noted = exposures if exposures is not None else []
    return ab_test(
        Model("7"),
        challenger,
        experiment="bigger",
        share=share,
        timeout_seconds=1.0,
        exposed=lambda group, answered_by: noted.append((group, answered_by)),
    )


def test_a_user_stays_in_the_group() -> None:
    first = [group_of("bigger", user, 0.3) for user in USERS]
    assert first == [group_of("bigger", user, 0.3) for user in USERS]


def test_the_share_is_kept_and_growing_it_moves_nobody_back() -> None:
    small = {user for user in USERS if group_of("bigger", user, 0.1) == "challenger"}
    large = {user for user in USERS if group_of("bigger", user, 0.5) == "challenger"}
    assert small < large
    assert 0.08 < len(small) / len(USERS) < 0.12
    assert 0.46 < len(large) / len(USERS) < 0.54


def test_another_experiment_shuffles_anew() -> None:
    groups = [[group_of(name, user, 0.5) for user in USERS] for name in ("one", "two")]
    same = sum(one == two for one, two in zip(*groups, strict=True)) / len(USERS)
    assert 0.46 < same < 0.54


@pytest.mark.parametrize(("share", "group", "version"), [(1.0, "challenger", "8"), (0.0, "champion", "7")])
async def test_the_group_answers_and_is_told(share: float, group: str, version: str) -> None:
    exposures: list[tuple[str, str]] = []
    prediction = await between(Model("8"), share, exposures)(request(subject="u"))
    assert (prediction.version, prediction.group, prediction.experiment) == (version, group, "bigger")
    assert exposures == [(group, group)]


async def test_who_is_not_signed_in_is_in_no_group() -> None:
    exposures: list[tuple[str, str]] = []
    prediction = await between(Model("8"), 1.0, exposures)(request())
    assert (prediction.version, prediction.group, prediction.experiment, exposures) == ("7", None, None, [])


@pytest.mark.parametrize(
    "challenger",
    [Model("8", error=ValueError("broken")), Model("8", error=NotLoaded("none")), Model("8", served_by_default=True)],
    ids=["fails", "is not there", "has a default only"],
)
async def test_the_champion_answers_for_a_challenger_that(challenger: Model) -> None:
    exposures: list[tuple[str, str]] = []
    prediction = await between(challenger, 1.0, exposures)(request(subject="u"))
    assert (prediction.version, prediction.group, prediction.reason) == ("7", "challenger", CHALLENGER_FAILED)
    assert exposures == [("challenger", "champion")]


def test_the_champion_answers_for_a_challenger_that_is_late() -> None:
    def asked(seconds: float) -> Prediction:
        async def ask() -> Prediction:
            return await between(Model("8", seconds=seconds))(request(subject="u"))

        return in_virtual_time(ask())

    assert asked(0.99).version == "8"
    assert (asked(1.01).version, asked(1.01).reason) == ("7", CHALLENGER_FAILED)


async def test_what_the_caller_did_wrong_is_not_asked_twice() -> None:
    with pytest.raises(ContractBroken):
        await between(Model("8", error=ContractBroken("inputs.x", "missing", "one")))(request(subject="u"))


async def test_many_users_at_once() -> None:
    predict = between(Model("8"), 0.5)
    predictions = await asyncio.gather(*(predict(request(subject=user)) for user in USERS[:200]))
    assert all(p.version == {"champion": "7", "challenger": "8"}[p.group or ""] for p in predictions)
