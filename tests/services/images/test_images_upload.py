"""What may be uploaded, what comes of it, and what is refused with a reason."""

import io
import struct
import zlib

import pytest
from PIL import Image

from services.contracts import PICTURE_SIZES, picture_path
from services.images import preparing
from services.images.uploads import MOST_BYTES
from tests.services.images.gallery import Gallery, encoded, header, photo


async def opened(gallery: Gallery, picture: dict[str, object], size: str = "original") -> Image.Image:
    """A stored file."""
    return Image.open(io.BytesIO(await gallery.files.read(picture_path(str(picture["id"]), size))))


@pytest.mark.parametrize(("kind", "format"), [("JPEG", "jpeg"), ("PNG", "png"), ("WEBP", "webp")])
async def test_a_picture_is_stored_in_three_sizes(gallery: Gallery, kind: str, format: str) -> None:
    picture = await gallery.uploaded(photo(1600, 800, kind=kind))
    assert (picture["width"], picture["height"], picture["format"]) == (1600, 800, format)
    assert set(picture["urls"]) == set(PICTURE_SIZES)
    sizes = [(await opened(gallery, picture, size)).size for size in PICTURE_SIZES]
    assert sizes == [(1600, 800), (1280, 640), (320, 160)]
    for size in PICTURE_SIZES:
        response = await gallery.get(picture["urls"][size], by=gallery.owner)
        assert response.status_code == 200
        assert response.headers["content-type"] == ("image/jpeg" if size != "original" else f"image/{format}")
        assert response.headers["x-content-type-options"] == "nosniff"
        assert Image.open(io.BytesIO(response.content)).format == (kind if size == "original" else "JPEG")


async def test_the_bytes_decide_the_type_and_not_what_is_declared(gallery: Gallery) -> None:
    response = await gallery.post(photo(kind="PNG"), filename="x.gif", type="text/html")
    assert response.status_code == 201
    assert response.json()["format"] == "png"


async def test_it_is_turned_upright_and_loses_its_metadata(gallery: Gallery) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side
    exif[0x010E] = "taken at home"
    exif.get_ifd(0x8825)[1] = "N"
    raw = photo(100, 60, exif=exif, comment=b"taken at home")
    assert b"taken at home" in raw
    picture = await gallery.uploaded(raw)
    assert (picture["width"], picture["height"]) == (60, 100)
    for size in PICTURE_SIZES:
        content = await gallery.files.read(picture_path(picture["id"], size))
        assert b"taken at home" not in content
        assert not (await opened(gallery, picture, size)).getexif()


async def test_the_same_picture_is_stored_once_for_all_who_bring_it(gallery: Gallery) -> None:
    first = await gallery.uploaded(photo())
    again = await gallery.uploaded(photo())
    by_another = await gallery.uploaded(photo(), by=gallery.item)
    other = await gallery.uploaded(photo(seed=2))
    assert first["id"] == again["id"] == by_another["id"] != other["id"]
    assert await gallery.count() == 2


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "P", "I;16", "1"])
async def test_every_mode_of_png_becomes_a_plain_picture(gallery: Gallery, mode: str) -> None:
    picture = await gallery.uploaded(encoded(Image.new(mode, (40, 40)), "PNG"))
    assert (await opened(gallery, picture)).mode == "RGB"


async def test_cmyk_and_the_first_frame_of_an_animation_are_taken(gallery: Gallery) -> None:
    await gallery.uploaded(encoded(Image.new("CMYK", (40, 40)), "JPEG"))
    frames = [Image.new("RGB", (40, 40), colour) for colour in ("red", "blue")]
    picture = await gallery.uploaded(encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True))
    stored = await opened(gallery, picture)
    assert getattr(stored, "n_frames", 1) == 1
    pixel = stored.convert("RGB").getpixel((20, 20))
    assert isinstance(pixel, tuple)
    assert pixel[0] > 200 > 60 > pixel[2]


async def test_a_picture_of_many_pixels_is_taken(gallery: Gallery) -> None:
    raw = encoded(Image.new("RGB", (7000, 5600), "white"), "JPEG")
    assert preparing.heavy(raw)
    assert not preparing.heavy(photo())
    assert not preparing.heavy(b"no picture")
    picture = await gallery.uploaded(raw)
    assert (await opened(gallery, picture, "large")).size == (1280, 1024)


def chunk(kind: bytes, data: bytes) -> bytes:
    """One chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def bomb(width: int = 30_000, height: int = 30_000) -> bytes:
    """A small file that claims to be enormous."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0" * 1_000_000)) + chunk(b"IEND", b"")


REFUSED = {
    "empty": (b"", 422, "is empty"),
    "a text": (b"hello, I am a cat", 415, "not a JPEG, PNG or WebP"),
    "html": (b"<html><script>alert(1)</script>", 415, "not a JPEG"),
    "gif": (encoded(Image.new("P", (64, 64)), "GIF"), 415, "not a JPEG"),
    "svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "not a JPEG"),
    "cut short": (photo(400, 300)[:9000], 422, "damaged or cut short"),
    "png cut short": (photo(400, 300, kind="PNG")[:9000], 422, "damaged"),
    "webp cut short": (photo(400, 300, kind="WEBP")[:9000], 422, "damaged"),
    "a head alone": (b"\xff\xd8\xff\xe0", 422, "damaged"),
    "a png head alone": (b"\x89PNG\r\n\x1a\n", 422, "damaged"),
    "a bomb": (bomb(), 422, "more than 40000000 pixels"),
    "a smaller bomb": (bomb(8000, 6000), 422, "more than 40000000 pixels"),
    "too small": (photo(31, 200), 422, "31 x 200"),
    "too many bytes": (b"\xff\xd8\xff" + b"\0" * MOST_BYTES, 413, "bytes"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_is_no_usable_picture_is_refused_with_a_reason(gallery: Gallery, name: str) -> None:
    raw, status, what = REFUSED[name]
    response = await gallery.post(raw)
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    [fault] = response.json()["errors"]
    assert fault["where"] == "body.file"
    assert what in fault["what"]
    assert fault["allowed"]
    assert await gallery.count() == 0
    assert not await gallery.files.exists("pictures")


async def test_a_body_far_over_the_limit_is_refused_while_it_comes(gallery: Gallery) -> None:
    response = await gallery.post(b"\xff\xd8\xff" + b"\0" * (MOST_BYTES + 200_000))
    assert response.status_code == 413


async def test_what_is_no_upload_is_told_how_one_looks(gallery: Gallery) -> None:
    signed_in = header(gallery.owner)
    as_json = await gallery.http.post("/api/images", json={"file": "x"}, headers=signed_in)
    other_field = await gallery.post(photo(), name="picture")
    as_text = await gallery.http.post("/api/images", data={"file": "x"}, files={"other": b""}, headers=signed_in)
    broken = {"Content-Type": "multipart/form-data"}
    no_boundary = await gallery.http.post("/api/images", content=b"x", headers=signed_in | broken)
    torn = {"Content-Type": "multipart/form-data; boundary=b"}
    no_end = await gallery.http.post("/api/images", content=b"--b\r\nbroken", headers=signed_in | torn)
    for response in (as_json, other_field, as_text, no_boundary, no_end):
        assert response.status_code == 422, response.text
        assert "multipart/form-data" in response.text or "`file`" in response.text
    nobody = await gallery.http.post("/api/images", files={"file": photo()})
    assert nobody.status_code == 401
    assert await gallery.count() == 0
