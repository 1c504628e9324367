"""Any picture people upload comes out upright and RGB; anything else is refused with a reason."""

import io
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from models.pictures import UnreadablePicture, decode, open_picture, sniff

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def quarters(width: int = 64, height: int = 48) -> Image.Image:
    """Red and green above, blue and white below."""
    picture = Image.new("RGB", (width, height), WHITE)
    picture.paste(RED, (0, 0, width // 2, height // 2))
    picture.paste(GREEN, (width // 2, 0, width, height // 2))
    picture.paste(BLUE, (0, height // 2, width // 2, height))
    return picture


def saved(picture: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def corners(pixels: np.ndarray) -> list[tuple[int, ...]]:
    """The four corners, clockwise from top left."""
    return [tuple(int(v) for v in pixels[y, x]) for y, x in ((3, 3), (3, -4), (-4, -4), (-4, 3))]


def near(found: list[tuple[int, ...]], wanted: list[tuple[int, int, int]]) -> bool:
    return bool(np.abs(np.array(found) - np.array(wanted)).max() < 40)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_every_accepted_format_is_read_and_known_by_its_bytes(kind: str) -> None:
    raw = saved(quarters(), kind, quality=95)
    assert sniff(raw) == kind.lower()
    assert near(corners(decode(raw, 32)), [RED, GREEN, WHITE, BLUE])
    assert open_picture(raw).size == (64, 48)


@pytest.mark.parametrize(
    ("orientation", "wanted"),
    [
        (1, [RED, GREEN, WHITE, BLUE]),
        (2, [GREEN, RED, BLUE, WHITE]),
        (3, [WHITE, BLUE, RED, GREEN]),
        (4, [BLUE, WHITE, GREEN, RED]),
        (5, [RED, BLUE, WHITE, GREEN]),
        (6, [BLUE, RED, GREEN, WHITE]),
        (7, [WHITE, GREEN, RED, BLUE]),
        (8, [GREEN, WHITE, BLUE, RED]),
    ],
)
def test_pictures_are_turned_upright(orientation: int, wanted: list[tuple[int, int, int]]) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    raw = saved(quarters(640, 480), "JPEG", quality=95, exif=exif)
    assert near(corners(decode(raw, 32)), wanted)
    whole = open_picture(raw)
    assert whole.size == ((480, 640) if orientation > 4 else (640, 480))
    assert near(corners(np.asarray(whole)), wanted)
    assert not whole.getexif()


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK", "YCbCr"])
def test_jpeg_modes(mode: str) -> None:
    pixels = decode(saved(quarters().convert(mode), "JPEG", quality=95), 32)
    assert pixels.shape == (32, 32, 3)
    grey = mode == "L"
    wanted = [(76, 76, 76), (150, 150, 150), WHITE, (29, 29, 29)] if grey else [RED, GREEN, WHITE, BLUE]
    assert near(corners(pixels), wanted)


@pytest.mark.parametrize("mode", ["RGBA", "P", "LA", "1", "I;16"])
def test_png_modes(mode: str) -> None:
    if mode == "I;16":
        ramp = np.linspace(0, 65535, 64, dtype=np.uint16)[None].repeat(64, 0)
        pixels = decode(saved(Image.fromarray(ramp), "PNG"), 32)
        assert pixels[16, 0, 0] < 20
        assert pixels[16, -1, 0] > 235
        return
    pixels = decode(saved(quarters().convert(mode), "PNG"), 32)
    assert pixels.shape == (32, 32, 3)
    assert near([corners(pixels)[2]], [WHITE])


def test_what_is_transparent_becomes_white() -> None:
    see_through = Image.new("RGBA", (40, 40), (10, 20, 30, 0))
    assert (decode(saved(see_through, "PNG"), 16) == 255).all()
    indexed = Image.new("P", (40, 40), 3)
    indexed.putpalette([0, 0, 0] * 256)
    assert (decode(saved(indexed, "PNG", transparency=3), 16) == 255).all()


def test_a_wide_picture_keeps_its_shape_and_loses_its_ends() -> None:
    wide = Image.new("RGB", (400, 100), BLUE)
    wide.paste(RED, (150, 0, 250, 100))
    pixels = decode(saved(wide, "PNG"), 100)
    red = (pixels[50, :, 0] > 128).sum()
    assert 85 < red < 95  # of 110 pixels that are kept, 100 are red


def test_scaled_decoding_sees_what_full_decoding_sees() -> None:
    rng = np.random.default_rng(0)
    coarse = Image.fromarray(rng.integers(0, 256, (8, 8, 3), np.uint8)).resize((1600, 1600), Image.Resampling.BICUBIC)
    raw = saved(coarse, "JPEG", quality=95)
    full = np.asarray(open_picture(raw).resize((160, 160), Image.Resampling.BOX), np.float32)
    assert np.abs(decode(raw, 160) - full).mean() < 2


@pytest.mark.parametrize("raw", [b"", b"GIF89a" + bytes(40), b"<svg/>", b"BM" + bytes(60), b"RIFF1234WAVEfmt "])
def test_other_files_are_refused(raw: bytes) -> None:
    with pytest.raises(UnreadablePicture, match="not a JPEG, PNG or WebP"):
        decode(raw, 32)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_truncated_picture_is_refused(kind: str) -> None:
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 256, (200, 200, 3), np.uint8))
    raw = saved(noise, kind, quality=90)
    for read in (lambda cut: decode(cut, 32), open_picture):
        with pytest.raises(UnreadablePicture, match="damaged"):
            read(raw[: len(raw) // 2])


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    small_file = saved(Image.new("1", (20_000, 20_000)), "PNG")
    assert len(small_file) < 100_000
    with pytest.raises(UnreadablePicture, match="pixels"):
        decode(small_file, 32)
    with pytest.raises(UnreadablePicture, match="pixels"):
        open_picture(saved(Image.new("1", (100, 101)), "PNG"), max_pixels=10_000)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=60), st.integers(0, 400), st.sampled_from(["JPEG", "PNG", "WEBP"]))
def test_damage_is_refused_or_survived(noise: bytes, place: int, kind: str) -> None:
    raw = bytearray(saved(quarters(), kind))
    raw[12 + place : 12 + place + len(noise)] = noise
    with suppress(UnreadablePicture):  # nothing else may be raised
        assert decode(bytes(raw), 32).shape == (32, 32, 3)
