"""Deals objects into groups, so that training and test never share an object in any style.

Every scene is drawn from one group only. One drawing therefore serves several splits: each takes
another group as its test and the rest for training.
"""

from collections.abc import Mapping, Sequence

import numpy as np

GROUPS = 5


def deal(kinds: Mapping[str, Sequence[str]], groups: int, seed: int) -> dict[str, int]:
    """The group of each object: as even as can be within every kind."""
    dealt: dict[str, int] = {}
    for number, kind in enumerate(sorted(kinds)):
        rng = np.random.default_rng([seed, number])
        shuffled = rng.permutation(sorted(kinds[kind]))
        dealt |= {str(name): (number + place) % groups for place, name in enumerate(shuffled)}
    return dealt


def split(group: int, test_group: int) -> str:
    """Whether a group is training or test data when that group is the test."""
    return "test" if group == test_group else "train"
