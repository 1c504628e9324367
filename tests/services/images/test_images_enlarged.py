"""Small pictures enlarged on request: made once, kept, seen by who may see the picture; and when no model is there."""

import asyncio
import io
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from models.super_resolution.contract import MOST
from services.chassis.ids import new_id
from services.chassis.service import beside
from services.contracts import PICTURE_SIZES, picture_path
from services.images.enlarging import ENLARGED
from services.images.main import build
from services.images.model_host import PATH
from tests.conftest import MakeBackends, MakeClient, MakeDatabase
from tests.services.images.gallery import Gallery, encoded, photo

SECONDS = "0.2"


@dataclass
class Host:
    """Stands where inference-sync is: enlarges as a model would, or does what a test wants."""

    asked: list[httpx.Request] = field(default_factory=list)
    instead: Callable[[httpx.Request], Any] | None = None
    waits: asyncio.Event | None = None

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        """What comes back."""
        self.asked.append(request)
        if self.waits:
            await self.waits.wait()
        answer = self.instead(request) if self.instead else by_model(request)
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)


def by_model(request: httpx.Request, factor: int = 2) -> dict[str, Any]:
    """The model's answer; recognised by its colour."""
    width, height = Image.open(io.BytesIO(request.content)).size
    png = encoded(Image.new("RGB", (width * factor, height * factor), "teal"), "PNG")
    picture = {"png": b64encode(png).decode(), "width": 2 * width, "height": 2 * height}
    return {"served_by": "model", "reason": None, "version": "3", "picture": picture}


def default(request: httpx.Request) -> dict[str, Any]:
    """The declared default's answer, as when the model is switched off."""
    return {"served_by": "default", "reason": "switched_off", "version": "default", "picture": None}


def unreachable(request: httpx.Request) -> httpx.Response:
    """Nobody listens."""
    raise httpx.ConnectError("nobody there", request=request)


@pytest.fixture
def host() -> Host:
    return Host()


@pytest.fixture
async def gallery(
    database: MakeDatabase,
    backends: MakeBackends,
    client: MakeClient,
    host: Host,
    monkeypatch: pytest.MonkeyPatch,
) -> Gallery:
    """Images, with a host of models that the test holds in its hand."""
    monkeypatch.setenv("ENLARGE_SECONDS", SECONDS)
    monkeypatch.setenv("INFERENCE_SYNC_URL", "http://first:8200,http://second:8201")
    made = backends(database=await database("images"), transport=httpx.MockTransport(host))
    service = build(made)
    return Gallery(service, client(service), made.database, made.files)


async def enlarged(gallery: Gallery, picture: dict[str, Any], **who: Any) -> httpx.Response:
    return await gallery.get(f"/api/images/{picture['id']}/enlarged", **({"by": gallery.owner} | who))


def opened(response: httpx.Response) -> Image.Image:
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "image/png"
    return Image.open(io.BytesIO(response.content))


def counted(gallery: Gallery, name: str, **labels: str) -> float:
    return gallery.service.metrics.registry.get_sample_value(name, labels) or 0.0


async def test_a_small_picture_is_enlarged_once_and_the_original_stays(gallery: Gallery, host: Host) -> None:
    picture = await gallery.uploaded(photo(120, 90))
    assert picture["urls"]["enlarged"] == f"/api/images/{picture['id']}/enlarged"
    before = [await gallery.files.read(picture_path(picture["id"], size)) for size in PICTURE_SIZES]
    first, second = await enlarged(gallery, picture), await enlarged(gallery, picture)
    assert opened(first).size == (240, 180)
    assert first.headers["x-enlarged-by"] == second.headers["x-enlarged-by"] == "super_resolution/3"
    assert first.content == second.content == await gallery.files.read(picture_path(picture["id"], ENLARGED))
    assert [await gallery.files.read(picture_path(picture["id"], size)) for size in PICTURE_SIZES] == before
    [asked] = host.asked
    assert asked.url.path == PATH
    assert asked.content == before[0]
    assert counted(gallery, "enlarged_pictures_total", by="model", reason="") == 1
    assert counted(gallery, "enlarged_pictures_total", by="kept", reason="") == 1


async def test_who_has_it_already_is_not_sent_it_again(gallery: Gallery) -> None:
    picture = await gallery.uploaded(photo())
    first = await enlarged(gallery, picture)
    again = await enlarged(gallery, picture, if_none_match=first.headers["etag"])
    assert again.status_code == 304
    assert again.content == b""
    other = await enlarged(gallery, picture, if_none_match=f'"{picture["id"]}-original"')
    assert other.status_code == 200


async def test_it_is_seen_by_whoever_may_see_the_picture(gallery: Gallery, host: Host) -> None:
    picture = await gallery.uploaded(photo())
    for who in ({"by": None}, {"by": new_id()}):
        assert (await enlarged(gallery, picture, **who)).status_code == 404
    assert not host.asked
    assert (await enlarged(gallery, picture, by=new_id(), roles=("moderator",))).status_code == 200
    assert (await enlarged(gallery, picture)).headers["cache-control"].startswith("private")
    await gallery.publish(picture["id"], sequence=2)
    assert (await enlarged(gallery, picture, by=None)).headers["cache-control"].startswith("public")
    await gallery.remove(picture["id"], sequence=3)
    assert (await enlarged(gallery, picture, by=None)).status_code == 404
    assert (await enlarged(gallery, {"id": "0" * 64})).status_code == 404


@pytest.mark.parametrize("size", [(MOST + 1, 100), (100, MOST + 1)])
async def test_a_larger_picture_is_refused_and_not_offered(gallery: Gallery, host: Host, size: tuple[int, int]) -> None:
    picture = await gallery.uploaded(photo(*size))
    assert set(picture["urls"]) == set(PICTURE_SIZES)
    refused = await enlarged(gallery, picture)
    assert refused.status_code == 409
    assert refused.headers["content-type"] == "application/problem+json"
    assert f"{size[0]} x {size[1]}" in refused.json()["detail"]
    assert not host.asked
    assert "enlarged" in (await gallery.uploaded(photo(MOST, MOST)))["urls"]


def broken(**changed: Any) -> Callable[[httpx.Request], Any]:
    return lambda request: by_model(request) | changed


FAILURES: dict[str, tuple[Callable[[httpx.Request], Any], str]] = {
    "switched off": (default, "switched_off"),
    "unreachable": (unreachable, "unreachable"),
    "a failure": (lambda request: httpx.Response(500, text="oops"), "refused"),
    "an old host that does not know it": (lambda request: httpx.Response(404, json={"detail": "no"}), "refused"),
    "no JSON": (lambda request: httpx.Response(200, text="<html>"), "unreadable"),
    "no picture": (broken(picture=None), "unreadable"),
    "no base64": (broken(picture={"png": "???"}), "unreadable"),
    "no PNG": (broken(picture={"png": b64encode(b"GIF89a").decode()}), "unreadable"),
    "another size": (lambda request: by_model(request, factor=3), "unreadable"),
}


@pytest.mark.parametrize("name", FAILURES)
async def test_without_the_model_a_formula_answers_marked_and_not_kept(gallery: Gallery, host: Host, name: str) -> None:
    host.instead, reason = FAILURES[name]
    raw = photo(60, 40, kind="PNG")
    picture = await gallery.uploaded(raw)
    plain = await enlarged(gallery, picture)
    expected = Image.open(io.BytesIO(raw)).resize((120, 80), Image.Resampling.BICUBIC)
    assert np.array_equal(np.asarray(opened(plain)), np.asarray(expected))
    assert plain.headers["x-enlarged-by"] == "bicubic"
    assert plain.headers["cache-control"] == "no-store"
    assert "etag" not in plain.headers
    assert not await gallery.files.exists(picture_path(picture["id"], ENLARGED))
    assert counted(gallery, "enlarged_pictures_total", by="bicubic", reason=reason) == 1
    host.instead = None
    assert (await enlarged(gallery, picture)).headers["x-enlarged-by"] == "super_resolution/3"


async def test_a_host_that_cannot_be_reached_is_skipped(gallery: Gallery, host: Host) -> None:
    host.instead = lambda request: unreachable(request) if request.url.host == "first" else by_model(request)
    for seed in (1, 2):
        picture = await gallery.uploaded(photo(seed=seed))
        assert (await enlarged(gallery, picture)).headers["x-enlarged-by"] == "super_resolution/3"


async def test_who_waits_too_long_gets_the_formula(gallery: Gallery, host: Host) -> None:
    host.waits = asyncio.Event()
    picture = await gallery.uploaded(photo())
    assert (await enlarged(gallery, picture)).headers["x-enlarged-by"] == "bicubic"
    assert counted(gallery, "enlarged_pictures_total", by="bicubic", reason="timeout") == 1


async def test_a_model_that_fails_again_and_again_is_left_alone(gallery: Gallery, host: Host) -> None:
    host.instead = unreachable
    picture = await gallery.uploaded(photo())
    for _ in range(5):
        assert (await enlarged(gallery, picture)).headers["x-enlarged-by"] == "bicubic"
    assert len(host.asked) == 3 * 2, "three tries, of two hosts each"
    assert counted(gallery, "enlarged_pictures_total", by="bicubic", reason="circuit_open") == 2


async def test_many_who_want_the_same_one_wait_for_one_making(gallery: Gallery, host: Host) -> None:
    picture = await gallery.uploaded(photo())
    answers = await asyncio.gather(*(enlarged(gallery, picture) for _ in range(5)))
    assert {answer.headers["x-enlarged-by"] for answer in answers} == {"super_resolution/3"}
    assert len(host.asked) == 1


async def test_only_a_few_are_made_at_once_and_for_one_more_a_formula_does_it(gallery: Gallery, host: Host) -> None:
    host.waits = asyncio.Event()
    pictures = [await gallery.uploaded(photo(seed=seed)) for seed in (1, 2, 3)]
    making = [asyncio.create_task(enlarged(gallery, picture)) for picture in pictures[:2]]
    while len(host.asked) < 2:
        await asyncio.sleep(0)
    third = await enlarged(gallery, pictures[2])
    host.waits.set()
    assert third.headers["x-enlarged-by"] == "bicubic"
    assert counted(gallery, "enlarged_pictures_total", by="bicubic", reason="busy") == 1
    assert [(await task).headers["x-enlarged-by"] for task in making] == ["super_resolution/3"] * 2


async def test_a_file_that_somebody_removed_is_made_again(gallery: Gallery, host: Host) -> None:
    picture = await gallery.uploaded(photo())
    await enlarged(gallery, picture)
    await gallery.files.delete(picture_path(picture["id"], ENLARGED))
    assert (await enlarged(gallery, picture)).headers["x-enlarged-by"] == "super_resolution/3"
    assert len(host.asked) == 2


async def test_how_many_small_pictures_were_looked_at_enlarged_is_counted(gallery: Gallery) -> None:
    pictures = [await gallery.uploaded(photo(*size)) for size in ((64, 48), (65, 48), (600, 400))]
    await enlarged(gallery, pictures[0])
    [count] = [loop for loop in gallery.service.loops if "every" in loop.__qualname__][-1:]
    async with beside(count), asyncio.timeout(20):
        while counted(gallery, "small_pictures", enlarged="yes") < 1:
            await asyncio.sleep(0)
    assert counted(gallery, "small_pictures", enlarged="no") == 1
    assert counted(gallery, "enlarge_duration_seconds_count", by="model") == 1
