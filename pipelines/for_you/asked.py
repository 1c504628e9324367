"""A moment of the log as the question that serving asks: the same features, made by the same function."""

from collections.abc import Sequence
from uuid import UUID

from models.contract import Arrays
from models.for_you.features import CANDIDATES, Asked, Choosable, Chosen, features
from models.labels import CATEGORIES, names
from pipelines.for_you.choices import Choices, Ints


def asked_of(found: Choices, chosen: Sequence[tuple[int, int]], items: Ints) -> Asked:
    """Somebody who chose these items, the last first, and what may be shown."""
    history = [Chosen(UUID(str(found.ids[item])), category(found, item), grade) for item, grade in chosen]
    return Asked([Choosable(UUID(str(found.ids[item])), category(found, item)) for item in items.tolist()], history)


def category(found: Choices, item: int) -> str | None:
    """The name of its category, if it has one."""
    known, place = names(CATEGORIES), int(found.categories[item])
    return known[place] if place < len(known) else None


def inputs_of(asked: Asked) -> Arrays:
    """What the model is given; no page is longer than what it takes."""
    if len(asked.candidates) > CANDIDATES:
        raise ValueError(f"{len(asked.candidates)} candidates in one question")
    return features(asked)
