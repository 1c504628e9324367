"""What super_resolution is given, what it refuses, and what its answer means."""

import io
from base64 import b64decode

import numpy as np
import pytest
from PIL import Image

from models.contract import check, fits, fits_default
from models.pictures import UnreadablePicture
from models.refusal import ContractBroken
from models.super_resolution.contract import FACTOR, MOST, contract
from models.super_resolution.features import answer, encode


def png(picture: Image.Image, **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG", **options)
    return file.getvalue()


@pytest.mark.parametrize("size", [(1, 1), (1, MOST), (33, 17), (MOST, MOST)])
def test_every_pixel_of_a_small_picture_is_seen(size: tuple[int, int]) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (size[1], size[0], 3), np.uint8)
    encoded = encode(png(Image.fromarray(pixels)))
    assert np.array_equal(encoded["image"], pixels[None])
    check(contract(), encoded)


@pytest.mark.parametrize("size", [(MOST + 1, 10), (10, MOST + 1), (2000, 2000)])
def test_a_large_picture_is_refused_with_its_size(size: tuple[int, int]) -> None:
    with pytest.raises(UnreadablePicture, match=f"{size[0]} x {size[1]}"):
        encode(png(Image.new("RGB", size)))


@pytest.mark.parametrize("shape", [(1, MOST + 1, 8, 3), (1, 8, 8, 4), (1, 8, 8), (1, 0, 8, 3), (0, 8, 8, 3)])
def test_tensors_beyond_the_bounds_break_the_contract(shape: tuple[int, ...]) -> None:
    with pytest.raises(ContractBroken):
        check(contract(), {"image": np.zeros(shape, np.uint8)})


def test_it_is_upright_and_transparency_is_white() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert encode(png(Image.new("RGB", (20, 10)), exif=exif))["image"].shape == (1, 20, 10, 3)
    assert encode(png(Image.new("RGBA", (4, 4), (0, 0, 0, 0))))["image"].min() == 255
    assert encode(png(Image.new("L", (4, 4), 77)))["image"].tolist() == [[[[77] * 3] * 4] * 4]


def test_an_answer_is_a_file_without_loss() -> None:
    pixels = np.random.default_rng(2).integers(0, 256, (1, 34, 66, 3), np.uint8)
    told = answer(contract(), {"enlarged": pixels})["picture"]
    assert (told["width"], told["height"]) == (66, 34)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(b64decode(told["png"])))), pixels[0])


def test_the_default_is_no_picture() -> None:
    declared, [spec] = contract(), contract().outputs
    row = declared.default[spec.name]
    assert fits_default(spec, row)
    assert answer(declared, {spec.name: np.array([row], np.uint8)}) == {"picture": None}
    assert fits(spec, (1, FACTOR * MOST, FACTOR * MOST, 3))
