"""From boxes to words: what counts as an object, where it is, and how a square's box becomes the picture's."""

from io import BytesIO

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from models.contract import check, fits_default
from models.image_screening import contract as screening
from models.object_attributes.contract import MOST, contract
from models.object_attributes.features import answer, attributes, encode
from models.object_attributes.finding import Rules, brightness, found, where
from models.object_attributes.frame import part_of, seen
from models.pictures import decode

RULES = Rules(0.4)
MANIFEST = contract().model_copy(update={"thresholds": {"object_score": 0.4, "place_score": 0.6}})
Boxes = NDArray[np.float32]


def boxes(*some: tuple[float, float, float, float, float]) -> Boxes:
    return np.array(some, np.float32).reshape(-1, 5)


def outputs(some: Boxes, place: tuple[float, float, float] = (1, 0, 0), light: float = 0.5) -> dict[str, Boxes]:
    padded = np.zeros((1, MOST, 5), np.float32)
    padded[0, : len(some)] = some
    return {"boxes": padded, "place": np.array([place], np.float32), "brightness": np.array([[light]], np.float32)}


def png(width: int, height: int, orientation: int = 1) -> bytes:
    file, exif = BytesIO(), Image.Exif()
    exif[0x0112] = orientation
    Image.new("RGB", (width, height), "grey").save(file, "PNG", exif=exif)
    return file.getvalue()


def test_the_input_is_that_of_image_screening() -> None:
    assert contract().inputs == screening.contract().inputs
    raw = png(300, 200)
    assert np.array_equal(encode(raw)["image"], decode(raw, 160)[None])
    check(contract(), encode(raw))


def test_the_default_is_a_row_of_each_output_and_says_nothing() -> None:
    declared = contract()
    assert all(fits_default(spec, declared.default[spec.name]) for spec in declared.outputs)
    row = {name: np.array([values], np.float32) for name, values in declared.default.items()}
    told = answer(MANIFEST, row)["attributes"]
    assert told == {"objects": [], "count": 0, "where": [], "brightness": "medium", "place": None}


def test_what_scores_too_little_does_not_count() -> None:
    assert len(found(boxes((0, 0, 0.5, 0.5, 0.39), (0.5, 0.5, 1, 1, 0.41)), RULES)) == 1


def test_of_two_boxes_of_one_thing_the_better_one_stays() -> None:
    kept = found(boxes((0.1, 0.1, 0.5, 0.5, 0.6), (0.12, 0.1, 0.5, 0.52, 0.9), (0.6, 0.6, 0.9, 0.9, 0.5)), RULES)
    assert kept[:, 4].tolist() == pytest.approx([0.9, 0.5])


def test_a_part_of_a_thing_is_not_another_one() -> None:
    assert len(found(boxes((0, 0, 0.8, 0.8, 0.9), (0.1, 0.1, 0.5, 0.5, 0.8)), RULES)) == 1


def test_what_lies_about_beside_something_large_does_not_count() -> None:
    large, small = (0.1, 0.1, 0.7, 0.7, 0.6), (0.8, 0.8, 0.95, 0.95, 0.9)
    assert found(boxes(large, small), RULES)[:, 4].tolist() == pytest.approx([0.6])
    assert len(found(boxes(small, (0.1, 0.8, 0.2, 0.9, 0.8)), RULES)) == 2


@pytest.mark.parametrize(
    ("box", "words"),
    [
        ((0.4, 0.4, 0.6, 0.6), ["centre"]),
        ((0.0, 0.4, 0.3, 0.6), ["left"]),
        ((0.7, 0.4, 1.0, 0.6), ["right"]),
        ((0.4, 0.0, 0.6, 0.3), ["top"]),
        ((0.7, 0.7, 1.0, 1.0), ["right", "bottom"]),
        ((0.0, 0.0, 1.0, 1.0), ["centre"]),
    ],
)
def test_where_one_thing_is(box: tuple[float, float, float, float], words: list[str]) -> None:
    assert where(boxes((*box, 0.9)), RULES) == words


def test_where_several_are() -> None:
    assert where(boxes((0, 0.4, 0.2, 0.6, 0.9), (0.8, 0.4, 1, 0.6, 0.9)), RULES) == ["left", "right"]


@pytest.mark.parametrize(("light", "word"), [(0.1, "dark"), (0.5, "medium"), (0.9, "bright")])
def test_brightness(light: float, word: str) -> None:
    assert brightness(light, RULES) == word


@pytest.mark.parametrize(
    ("chances", "place"),
    [((0.9, 0.05, 0.05), None), ((0.1, 0.85, 0.05), "indoors"), ((0, 0.1, 0.9), "outdoors"), ((0.1, 0.35, 0.55), None)],
)
def test_a_place_is_said_where_it_is_sure(chances: tuple[float, float, float], place: str | None) -> None:
    assert attributes(MANIFEST, outputs(boxes(), chances))["place"] == place


@pytest.mark.parametrize(
    ("size", "part"),
    [
        ((200, 200), (0, 0, 1, 1)),
        ((400, 200), (0.225, 0, 0.775, 1)),
        ((200, 400), (0, 0.225, 1, 0.775)),
        ((210, 200), (0, 0, 1, 1)),
    ],
)
def test_of_a_wide_picture_the_ends_are_not_seen(size: tuple[int, int], part: tuple[float, ...]) -> None:
    assert part_of(*size) == pytest.approx(part)
    assert seen(png(*size)) == pytest.approx(part)


def test_a_picture_lying_on_its_side_is_seen_upright() -> None:
    assert seen(png(400, 200, orientation=6)) == pytest.approx((0, 0.225, 1, 0.775))


def test_boxes_of_the_square_become_boxes_of_the_picture() -> None:
    """A white block at the right edge of what is seen of a wide picture is found there, and told where it is."""
    told = attributes(MANIFEST, outputs(boxes((0.8, 0.4, 1.0, 0.6, 0.9))), part_of(400, 200))
    (thing,) = told["objects"]
    assert (thing["left"], thing["right"]) == pytest.approx((0.225 + 0.8 * 0.55, 0.775))
    assert told["where"] == ["right"]
