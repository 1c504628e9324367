"""What a user would notice of the trained enlarger: mirrors, light, flat areas, odd sizes; where a run has made one."""

import io
from base64 import b64decode
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps
from skimage.metrics import peak_signal_noise_ratio

from models.contract import Manifest
from models.super_resolution import features
from models.super_resolution.contract import MOST
from models.super_resolution.features import answer, encode
from pipelines import artefact
from pipelines.image_screening.onnx_file import OnnxFile
from pipelines.parameters import read_yaml
from pipelines.scenes.parts import real_photos
from pipelines.super_resolution.pairs import even, halved, plainly
from services.sources.onnx_model import open_model
from tests.platform import ROOT

MODEL = ROOT / "data" / "super_resolution" / "model"
pytestmark = pytest.mark.skipif(not MODEL.is_dir(), reason="no run has made super_resolution here: scripts/train")
Enlarge = Callable[[Image.Image], NDArray[np.uint8]]


@pytest.fixture(scope="module")
def enlarge() -> Enlarge:
    """From a picture to the enlarged one, by the features that serve."""
    manifest, network = Manifest.read(MODEL), OnnxFile(MODEL / "model.onnx")

    def enlarged(picture: Image.Image) -> NDArray[np.uint8]:
        file = io.BytesIO()
        picture.save(file, "PNG")
        told = answer(manifest, network(encode(file.getvalue())["image"]))["picture"]
        return np.asarray(Image.open(io.BytesIO(b64decode(told["png"]))), np.uint8)

    return enlarged


def photo(name: str) -> Image.Image:
    return even(Image.open(real_photos()[name]).convert("RGB"))


def test_the_artefact_keeps_its_contract() -> None:
    assert artefact.verify(MODEL).name == "super_resolution"


@pytest.mark.parametrize("name", ["cat", "food", "flower", "house"])
def test_it_is_nearer_to_the_photo_than_bicubic(enlarge: Enlarge, name: str) -> None:
    truth = photo(name)
    small = halved(truth)
    plain = plainly(np.asarray(small), Image.Resampling.BICUBIC)
    won = peak_signal_noise_ratio(np.asarray(truth), enlarge(small)) - peak_signal_noise_ratio(np.asarray(truth), plain)
    assert won > 0.3


@pytest.mark.parametrize("turned", [ImageOps.mirror, ImageOps.flip])
def test_a_mirrored_picture_is_enlarged_mirrored(
    enlarge: Enlarge, turned: Callable[[Image.Image], Image.Image]
) -> None:
    small = halved(photo("cat"))
    back = np.asarray(turned(Image.fromarray(enlarge(turned(small)))))
    assert peak_signal_noise_ratio(enlarge(small), back) > 38


def test_a_darker_picture_is_enlarged_darker(enlarge: Enlarge) -> None:
    small = halved(photo("food"))
    dark = enlarge(small.point(lambda value: value * 0.5))
    assert peak_signal_noise_ratio((enlarge(small) * 0.5).astype(np.uint8), dark) > 40


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (12, 200, 99)])
def test_what_is_flat_stays_flat(enlarge: Enlarge, colour: tuple[int, int, int]) -> None:
    assert set(map(tuple, enlarge(Image.new("RGB", (37, 21), colour)).reshape(-1, 3).tolist())) == {colour}


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (3, 2), (121, 89), (MOST, 1)])
def test_every_size_becomes_twice_that(enlarge: Enlarge, size: tuple[int, int]) -> None:
    part = photo("flower").resize(size)
    assert enlarge(part).shape == (2 * size[1], 2 * size[0], 3)


def test_an_area_of_one_grey_in_a_picture_gets_no_colour(enlarge: Enlarge) -> None:
    larger = enlarge(halved(photo("house").convert("L").convert("RGB"))).astype(int)
    assert np.abs(larger[..., 0] - larger[..., 2]).mean() < 3


def test_no_host_takes_it_for_a_quick_one() -> None:
    """What is quick runs in the event loop; a picture of the largest size would hold it up for half a second."""
    manifest = Manifest.read(MODEL)
    model = open_model(MODEL, manifest, features, threads=1)
    assert not model.is_quick(1)


def test_the_bounds_hold_on_what_was_never_seen() -> None:
    metrics = read_yaml(MODEL / "metrics.json")
    assert metrics["scenes_gain_over_bicubic_low"] > 2
    assert metrics["photos_gain_over_bicubic"] > 1
    assert metrics["photos_ssim_gain"] > 0.01
    assert metrics["scenes_ssim_gain"] > 0.01


def test_the_committed_card_is_the_one_of_the_run() -> None:
    assert (ROOT / "models/super_resolution/card.md").read_bytes() == (MODEL / "card.md").read_bytes()
