"""The scenes to count in, what the head is taught, and how it is judged; on made-up shapes and a tiny training."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from models.labels import CATEGORIES, names
from models.object_attributes.contract import MOST, contract
from models.object_attributes.finding import Rules
from pipelines.image_screening.backbone import export
from pipelines.image_screening.onnx_file import OnnxFile
from pipelines.object_attributes import train
from pipelines.object_attributes.draw import about
from pipelines.object_attributes.judging import Judged, average_precision, counted, drawn, hits, placed
from pipelines.object_attributes.learning import loss, target, targets
from pipelines.object_attributes.network import COARSE_CHANNELS, FINE_CHANNELS, GRID, Detector, Trunk, boxes
from pipelines.object_attributes.scenes import MOST_HIDDEN, Places, compose, hidden, nothing
from pipelines.scenes.compose import Sprite, Stock
from pipelines.scenes.pack import Row

RULES = Rules(0.4)
SIZE = (160, 160)


def disc(colour: str) -> Image.Image:
    picture = Image.new("RGBA", (64, 64))
    ImageDraw.Draw(picture).ellipse((2, 2, 61, 61), fill=colour)
    return picture


@pytest.fixture(scope="module")
def stock() -> Stock:
    kinds = [*names(CATEGORIES), "other"]
    return Stock({kind: [Sprite(kind, kind, "flat", disc("red"), 0)] for kind in kinds}, [])


@pytest.fixture(scope="module")
def places() -> Places:
    return Places([(Image.new("RGB", (320, 320), "grey"), "outdoors")])


def scene(stock: Stock, places: Places, number: int) -> Row:
    rng = np.random.default_rng([3, number])
    return about(0, compose(rng, stock, places, names(CATEGORIES), SIZE))


def test_scenes_show_no_to_seven_objects_that_hide_each_other_little(stock: Stock, places: Places) -> None:
    rows = [scene(stock, places, number) for number in range(150)]
    assert {len(row["boxes"]) for row in rows} >= {0, 1, 2, 3, 4, 5}
    assert max(len(row["boxes"]) for row in rows) <= 7
    assert {row["place"] for row in rows} == {None, "indoors", "outdoors"}
    for row in rows:
        for index, box in enumerate(row["boxes"]):
            assert 0 <= box[0] < box[2] <= 1
            assert 0 <= box[1] < box[3] <= 1
            assert all(hidden(box, other) < MOST_HIDDEN + 0.35 for other in row["boxes"][:index])


def test_a_scene_is_the_same_each_time(stock: Stock, places: Places) -> None:
    assert scene(stock, places, 5) == scene(stock, places, 5) != scene(stock, places, 6)


def test_pictures_of_nothing_have_no_boxes() -> None:
    assert about(0, nothing(np.random.default_rng(1), SIZE))["boxes"] == []


def test_the_target_is_hottest_in_the_cell_of_the_middle_and_names_its_box() -> None:
    heat, box = target([[0.5, 0.1, 0.7, 0.4]])
    assert np.argwhere(heat == 1).tolist() == [[5, 12]]
    assert heat.max() == 1
    assert box[:, 5, 12].tolist() == pytest.approx([0.5, 0.1, 0.7, 0.4])


def test_two_things_side_by_side_keep_their_own_boxes() -> None:
    heat, box = target([[0.0, 0.4, 0.3, 0.6], [0.7, 0.4, 1.0, 0.6]])
    assert (heat == 1).sum() == 2
    assert (box[0, 10, 3], box[0, 10, 17]) == pytest.approx((0.0, 0.7))


def test_the_perfect_answer_is_not_wrong_and_another_one_is() -> None:
    wanted = targets([{"boxes": [[0.2, 0.2, 0.6, 0.6]], "place": "indoors"}])
    heat, box, place = (torch.from_numpy(array) for array in (wanted.heat, wanted.box, wanted.place))
    middles = (torch.arange(GRID) + 0.5) / GRID
    across, down = middles[None, :].expand(GRID, GRID), middles[:, None].expand(GRID, GRID)
    sides = torch.stack([across - 0.2, down - 0.2, 0.6 - across, 0.6 - down])[None] * 8
    right = (torch.where(heat == 1, 20.0, -20.0), sides, torch.tensor([[0.0, 20.0, 0.0]]))
    wrong = (right[0].flip(2), sides.flip(1), right[2].flip(1))
    assert loss(right, heat, box, place) < 0.01 < 1 < loss(wrong, heat, box, place)
    assert boxes(sides)[0, :, 8, 8].tolist() == pytest.approx([0.2, 0.2, 0.6, 0.6])


def judged(said: list[list[float]], truth: list[list[float]]) -> Judged:
    padded = np.zeros((1, MOST, 5), np.float32)
    padded[0, : len(said)] = np.array(said, np.float32).reshape(-1, 5)
    row = {"boxes": truth, "place": None, "brightness": 0.5}
    return Judged([row], padded, np.array([[1.0, 0, 0]], np.float32), np.array([[0.5]], np.float32))


LEFT, RIGHT = [0.0, 0.3, 0.4, 0.7], [0.6, 0.3, 1.0, 0.7]


def test_a_drawn_object_is_found_once() -> None:
    said = np.array([[*LEFT, 0.9], [*LEFT, 0.8], [*RIGHT, 0.7]], np.float32)
    assert hits(said, drawn({"boxes": [LEFT, RIGHT]})).tolist() == [True, False, True]


@pytest.mark.parametrize(
    ("said", "precision"),
    [
        ([[*LEFT, 0.9], [*RIGHT, 0.8]], 1.0),
        ([[*LEFT, 0.9]], 0.5),
        ([], 0.0),
        ([[0.4, 0, 0.6, 0.2, 0.95], [*LEFT, 0.9], [*RIGHT, 0.8]], 2 / 3),
    ],
)
def test_average_precision(said: list[list[float]], precision: float) -> None:
    assert average_precision(judged(said, [LEFT, RIGHT]), RULES) == pytest.approx(precision)


def test_counts_and_places_are_held_against_what_was_drawn() -> None:
    half = judged([[*LEFT, 0.9]], [LEFT, RIGHT])
    assert counted(half, RULES) == {"exact": 0, "within_one": 1, "error": 1}
    assert placed(half, RULES) == {"exact": 0, "words": 0.5}


def test_the_head_learns_and_what_is_exported_answers_alike(tmp_path: Path) -> None:
    """Bright cells are objects: learnt from made-up features in seconds, twice to the same weights."""
    rng = np.random.default_rng(0)
    rows: list[Row] = []
    fine = rng.normal(0, 0.1, (96, FINE_CHANNELS, GRID, GRID)).astype(np.float16)
    coarse = rng.normal(0, 0.1, (96, COARSE_CHANNELS, GRID // 2, GRID // 2)).astype(np.float16)
    for index in range(96):
        column, row = (int(at) for at in rng.integers(2, GRID - 6, 2))
        fine[index, :20, row : row + 4, column : column + 4] += 3
        box = [column / GRID, row / GRID, (column + 4) / GRID, (row + 4) / GRID]
        rows.append({"boxes": [box], "place": None})
    params = train.Params(test_group=2, validation_group=0, epochs=12, batch=16, rate=0.005, seed=1)
    torch.manual_seed(1)
    head = train.learnt([fine, coarse], targets(rows), params)
    with torch.inference_mode():
        middle, sides, _ = head(torch.from_numpy(fine).float(), torch.from_numpy(coarse).float())
    found = boxes(sides).flatten(2)[torch.arange(96), :, middle.flatten(1).argmax(1)].numpy()
    off = np.abs(found - np.array([row["boxes"][0] for row in rows])).max(1)
    assert (off < 0.1).mean() > 0.8
    detector, outputs = Detector(Trunk(), head).eval(), [spec.name for spec in contract().outputs]
    export(detector, tmp_path / "model.onnx", outputs)
    image = rng.integers(0, 256, (3, 160, 160, 3), np.uint8)
    with torch.inference_mode():
        expected = detector(torch.from_numpy(image))
    answered = OnnxFile(tmp_path / "model.onnx")(image)
    for name, tensor in zip(outputs, expected, strict=True):
        assert np.allclose(tensor.numpy(), answered[name], atol=1e-3), name
