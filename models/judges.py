"""Which violations each model is there to find: what a moderator's decision can say of it."""

from models.labels import PICTURE_VIOLATIONS, TEXT_VIOLATIONS, names

BEYOND_A_GLANCE = ("weapon", "alcohol")
"""Violations that image_quick leaves to image_screening."""

JUDGES = {
    "image_quick": [name for name in names(PICTURE_VIOLATIONS)[1:] if name not in BEYOND_A_GLANCE],
    "image_screening": names(PICTURE_VIOLATIONS)[1:],
    "text_violation": names(TEXT_VIOLATIONS)[1:],
}
