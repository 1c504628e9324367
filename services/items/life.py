"""The life of an item: which states there are, what may happen in each, and what has to be told of it.

Pure: no clock, no database. Whatever changes an item's state asks here first.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal


class State(StrEnum):
    """Where an item is in its life."""

    SCREENING = "screening"
    PUBLISHED = "published"
    REJECTED = "rejected"
    NEEDS_REVIEW = "needs_review"
    WITHDRAWN = "withdrawn"


class Act(StrEnum):
    """What may happen to an item. The first three are the models' verdicts."""

    PUBLISH = "publish"
    REJECT = "reject"
    REVIEW = "review"
    FAIL = "fail"  # nobody could judge it
    RESCREEN = "rescreen"  # its event was lost: ask again
    APPROVE = "approve"  # a moderator publishes
    REFUSE = "refuse"  # a moderator rejects, or takes down
    DOUBT = "doubt"  # newer models would not publish it
    REOPEN = "reopen"  # a moderator takes back what was decided about a waiting item
    RESTORE = "restore"  # a moderator takes back that a published one was taken down
    EDIT = "edit"
    WITHDRAW = "withdraw"


class NotPossible(Exception):
    """The item's state does not allow this."""

    def __init__(self, state: State, act: Act) -> None:
        super().__init__(f"An item that is {state} allows no {act}.")
        self.state, self.act = state, act


TRANSITIONS: Final[Mapping[State, Mapping[Act, State]]] = {
    State.SCREENING: {
        Act.PUBLISH: State.PUBLISHED,
        Act.REJECT: State.REJECTED,
        Act.REVIEW: State.NEEDS_REVIEW,
        Act.FAIL: State.NEEDS_REVIEW,
        Act.RESCREEN: State.SCREENING,
        Act.EDIT: State.SCREENING,
        Act.WITHDRAW: State.WITHDRAWN,
    },
    State.NEEDS_REVIEW: {
        Act.APPROVE: State.PUBLISHED,
        Act.REFUSE: State.REJECTED,
        Act.EDIT: State.SCREENING,
        Act.WITHDRAW: State.WITHDRAWN,
    },
    State.PUBLISHED: {
        Act.REFUSE: State.REJECTED,
        Act.REOPEN: State.NEEDS_REVIEW,
        Act.DOUBT: State.NEEDS_REVIEW,
        Act.EDIT: State.SCREENING,
        Act.WITHDRAW: State.WITHDRAWN,
    },
    State.REJECTED: {
        Act.REOPEN: State.NEEDS_REVIEW,
        Act.RESTORE: State.PUBLISHED,
        Act.EDIT: State.SCREENING,
        Act.WITHDRAW: State.WITHDRAWN,
    },
    State.WITHDRAWN: {},
}
"""Every transition there is."""

WHY_REMOVED: Final[Mapping[Act, Literal["withdrawn", "rejected", "edited", "review"]]] = {
    Act.WITHDRAW: "withdrawn",
    Act.REFUSE: "rejected",
    Act.EDIT: "edited",
    Act.REOPEN: "review",
    Act.DOUBT: "review",
}


@dataclass(frozen=True)
class Step:
    """One transition, and what others have to hear of it."""

    before: State
    act: Act
    after: State

    @property
    def asks_for_judgement(self) -> bool:
        """Whether the models have to look at the item now."""
        return self.after is State.SCREENING

    @property
    def publishes(self) -> bool:
        """Whether everybody may see the item from now on."""
        return self.after is State.PUBLISHED and self.before is not State.PUBLISHED

    @property
    def removes(self) -> bool:
        """Whether the item may no longer be seen."""
        return self.before is State.PUBLISHED and self.after is not State.PUBLISHED


def step(state: State, act: Act) -> Step:
    """What an act leads to; raises NotPossible."""
    try:
        return Step(state, act, TRANSITIONS[state][act])
    except KeyError:
        raise NotPossible(state, act) from None


def final(state: State, *, searchable: bool) -> bool:
    """Whether nothing more happens unless somebody acts; a published item still has to become searchable."""
    return state is not State.SCREENING and (state is not State.PUBLISHED or searchable)
