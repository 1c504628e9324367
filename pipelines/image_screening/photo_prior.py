"""What the pretrained network already knows about photos: its 1,000 ImageNet classes, sorted into ours.

Numbers are positions in the ImageNet list. Needs no training, and is what makes a photo of a real cat
a cat; drawn objects are what the learnt head is better at.
"""

import numpy as np
from numpy.typing import NDArray

from models.labels import CATEGORIES, PICTURE_VIOLATIONS, names

CLASSES = 1000


def numbers(text: str) -> list[int]:
    """`3-5 9` as [3, 4, 5, 9]."""
    found: list[int] = []
    for part in text.split():
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


CATEGORY_CLASSES: dict[str, list[int]] = {
    "cat": numbers("281-287"),
    "dog": numbers("151-268 273-275"),
    "bird": numbers("7-24 80-100 127-146"),
    "fish": numbers("0-6 107 118-126 147-148 389-397"),
    "insect": numbers("69-79 113 300-326"),
    "flower": numbers("738 883 946 984-986 989"),
    "fruit": numbers("948-957"),
    "food": numbers("504 567 809 909 923-935 959-969"),
    "car": numbers("""407-408 436 468 475 479 511 555 569 573 581 586 609 627 654 656 661 675 705 717 734 751
        757 779 803 817 829 847 864 866-867 874"""),
    "house": numbers("""415 424-425 437 442 449 454 467 483 497-498 500 509 538 580 582 624 660 663 668 698 706
        716 725 727 743 762 788 799 832 858 865 873 900 915"""),
}

VIOLATION_CLASSES: dict[str, list[int]] = {
    "weapon": numbers("413 456 471 499 596 657 744 763-764"),
    "alcohol": numbers("440-441 503 572 901 907 966"),
}
"""Red wine (966) is food and alcohol: its category is food, and a moderator may have to look."""


def table(classes: dict[str, list[int]], labels: list[str]) -> NDArray[np.float32]:
    """A matrix that sums the classes of each label."""
    matrix = np.zeros((CLASSES, len(labels)), np.float32)
    for label, members in classes.items():
        matrix[members, labels.index(label)] = 1.0
    return matrix


def category_table() -> NDArray[np.float32]:
    """1,000 classes to the ten categories."""
    return table(CATEGORY_CLASSES, names(CATEGORIES))


def violation_table() -> NDArray[np.float32]:
    """1,000 classes to the kinds of violation; what is of a category and no violation counts as `ok`."""
    forbidden = {number for members in VIOLATION_CLASSES.values() for number in members}
    fine = [n for members in CATEGORY_CLASSES.values() for n in members if n not in forbidden]
    return table(VIOLATION_CLASSES | {"ok": fine}, names(PICTURE_VIOLATIONS))
