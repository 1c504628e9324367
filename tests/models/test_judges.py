"""Which model is held to which violations."""

from models.judges import JUDGES
from models.labels import PICTURE_VIOLATIONS, names
from pipelines.image_quick.train import UNSEEN


def test_the_quick_look_is_held_to_what_it_learns_alone() -> None:
    unseen = {names(PICTURE_VIOLATIONS)[number] for number in UNSEEN}
    assert {*JUDGES["image_screening"]} - {*JUDGES["image_quick"]} == unseen


def test_no_violation_is_of_both_a_picture_and_a_text() -> None:
    assert not {*JUDGES["image_screening"]} & {*JUDGES["text_violation"]}
