"""What a user would notice of the trained detector: mirrors, light, compression; where a run has made one."""

import io
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance, ImageOps

from models.contract import Manifest
from models.object_attributes.features import answer, encode
from pipelines import artefact
from pipelines.image_screening.onnx_file import OnnxFile
from pipelines.object_attributes import draw
from pipelines.parameters import read_yaml
from pipelines.scenes.pack import Pack
from tests.platform import ROOT

MODEL = ROOT / "data" / "object_attributes" / "model"
pytestmark = pytest.mark.skipif(not MODEL.is_dir(), reason="no run has made object_attributes here: scripts/train")
OTHER_SIDE = {"left": "right", "right": "left"}
Look = Callable[[bytes], dict[str, Any]]


@pytest.fixture(scope="module")
def look() -> Look:
    manifest, network = Manifest.read(MODEL), OnnxFile(MODEL / "model.onnx")

    def looked(raw: bytes) -> dict[str, Any]:
        told: dict[str, Any] = answer(manifest, network(encode(raw)["image"]))["attributes"]
        return told

    return looked


def jpeg(picture: Image.Image, quality: int = 90) -> bytes:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return file.getvalue()


@cache
def held_out() -> list[Image.Image]:
    """Scenes of objects never seen, with at least one."""
    folder = ROOT / draw.OUT
    if not folder.is_dir():
        pytest.skip("the scenes are not drawn here: scripts/train")
    pack = Pack(folder, "scenes")
    rows = [index for index, row in enumerate(pack.rows) if row["group"] == 2 and row["boxes"]][:60]
    return [Image.open(io.BytesIO(pack.blob(index))).convert("RGB") for index in rows]


def agreement(look: Look, change: Callable[[Image.Image], bytes], alike: Callable[[Any, Any], float]) -> float:
    """How alike what is said of scenes is to what is said after a change, 0 to 1."""
    return float(np.mean([alike(look(jpeg(scene)), look(change(scene))) for scene in held_out()]))


def same_count(one: Any, other: Any) -> float:
    return float(one["count"] == other["count"])


def test_the_artefact_keeps_its_contract() -> None:
    assert artefact.verify(MODEL).name == "object_attributes"


def test_a_mirror_swaps_left_and_right_and_nothing_else(look: Look) -> None:
    def mirrored(one: Any, other: Any) -> float:
        expected, said = {OTHER_SIDE.get(word, word) for word in one["where"]}, set(other["where"])
        return len(expected & said) / len(expected | said) if expected | said else 1.0

    assert agreement(look, lambda scene: jpeg(ImageOps.mirror(scene)), mirrored) > 0.85
    assert agreement(look, lambda scene: jpeg(ImageOps.mirror(scene)), same_count) > 0.8


@pytest.mark.parametrize("quality", [60, 95])
def test_compression_changes_no_count(look: Look, quality: int) -> None:
    assert agreement(look, lambda scene: jpeg(scene, quality), same_count) > 0.8


def test_less_light_is_never_brighter(look: Look) -> None:
    order = ["dark", "medium", "bright"]
    for scene in held_out()[:12]:
        words = [look(jpeg(ImageEnhance.Brightness(scene).enhance(by)))["brightness"] for by in (0.2, 0.6, 1.0, 1.8)]
        assert [order.index(word) for word in words] == sorted(order.index(word) for word in words)
    assert look(jpeg(Image.new("RGB", (200, 200), "black")))["brightness"] == "dark"
    assert look(jpeg(Image.new("RGB", (200, 200), "white")))["brightness"] == "bright"


def test_more_things_are_counted_as_more(look: Look) -> None:
    counts = []
    for number in (1, 2, 4):
        picture = Image.new("RGB", (320, 320), "#86a0a8")
        pen = ImageDraw.Draw(picture)
        for left, top in [(30, 30), (190, 190), (190, 30), (30, 190)][:number]:
            pen.ellipse((left, top, left + 100, top + 100), fill="#c0392b")
            pen.ellipse((left + 30, top + 30, left + 70, top + 70), fill="#f5d76e")
        counts.append(look(jpeg(picture))["count"])
    assert counts == [1, 2, 4]


def test_a_picture_of_one_colour_shows_nothing(look: Look) -> None:
    assert look(jpeg(Image.new("RGB", (300, 300), "#336699")))["count"] == 0


def test_the_bounds_hold_on_objects_never_seen() -> None:
    metrics = read_yaml(MODEL / "metrics.json")
    assert metrics["ap50"] > 0.79
    assert metrics["count_exact"] > metrics["baseline_count_exact"] + 0.3
    assert metrics["count_within_one"] > 0.93
    assert metrics["where_exact"] > metrics["baseline_where_exact"] + 0.4
    assert metrics["place_right"] > metrics["baseline_place_right"] + 0.15
    assert metrics["other_scenes_count_exact"] > metrics["baseline_other_scenes_count_exact"]


def test_the_card_has_the_figures_of_its_run() -> None:
    card, metrics = (MODEL / "card.md").read_text(), read_yaml(MODEL / "metrics.json")
    for name in ("ap50", "precision", "recall", "where_exact", "place_right"):
        assert f" {metrics[name]:.4g} |" in card, name
