"""The table of transitions, without a database."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as some

from services.items import life
from services.items.life import Act, NotPossible, State

MODELS = {Act.PUBLISH, Act.REJECT, Act.REVIEW, Act.FAIL, Act.RESCREEN}


def test_models_decide_only_about_what_is_being_screened() -> None:
    for state, act in product(set(State) - {State.SCREENING}, MODELS):
        with pytest.raises(NotPossible, match=state):
            life.step(state, act)


def test_only_the_models_or_a_moderator_publish() -> None:
    ways = {(state, act) for state, acts in life.TRANSITIONS.items() for act, to in acts.items() if to == "published"}
    taken_back = (State.REJECTED, Act.RESTORE)
    assert ways == {(State.SCREENING, Act.PUBLISH), (State.NEEDS_REVIEW, Act.APPROVE), taken_back}


def test_nothing_comes_back_from_withdrawn() -> None:
    for act in Act:
        with pytest.raises(NotPossible):
            life.step(State.WITHDRAWN, act)


def test_owners_may_edit_and_withdraw_at_any_time_before() -> None:
    for state in set(State) - {State.WITHDRAWN}:
        assert life.step(state, Act.EDIT).after is State.SCREENING
        assert life.step(state, Act.WITHDRAW).after is State.WITHDRAWN


@given(some.lists(some.sampled_from(Act), max_size=30))
def test_everybody_hears_of_every_publication_and_of_every_removal(acts: list[Act]) -> None:
    state, shown = State.SCREENING, False
    for act in acts:
        try:
            step = life.step(state, act)
        except NotPossible:
            continue
        assert step.removes <= shown, "nothing is removed that was not there"
        assert not (step.publishes and shown), "nothing is published twice"
        assert not step.removes or step.act in life.WHY_REMOVED
        assert step.asks_for_judgement == (step.after is State.SCREENING)
        shown = (shown or step.publishes) and not step.removes
        state = step.after
        assert shown == (state is State.PUBLISHED)


def test_final_is_what_changes_no_more_by_itself() -> None:
    assert not life.final(State.SCREENING, searchable=False)
    assert not life.final(State.PUBLISHED, searchable=False)
    assert life.final(State.PUBLISHED, searchable=True)
    assert all(life.final(state, searchable=False) for state in ("rejected", "needs_review", "withdrawn"))  # type: ignore[arg-type]
