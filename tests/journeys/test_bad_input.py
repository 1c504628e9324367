"""Bad input gets a clear 4xx problem within a second, and nothing is stored."""

import io
import struct
import time
import zlib
from collections.abc import Callable
from uuid import uuid4

import httpx
import pytest
from PIL import Image

from tests import tokens
from tests.platform import Platform, User, photo


@pytest.fixture(scope="module")
def user(platform: Platform) -> User:
    return platform.user(number=4)


@pytest.fixture(scope="module")
def image_id(user: User) -> str:
    return user.upload(photo("cat", salt=11))


def refused(response: httpx.Response, *statuses: int) -> None:
    assert response.status_code in statuses, (response.status_code, response.text[:300])
    assert response.elapsed.total_seconds() < 1
    if response.content:
        assert response.headers["content-type"] == "application/problem+json"
        body = response.json()
        assert body["status"] == response.status_code
        assert body["title"]


def bomb() -> bytes:
    """A small PNG that claims 50,000 x 50,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


def gif() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 64)).save(out, "GIF")
    return out.getvalue()


def tiny() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (2, 2)).save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "statuses"),
    [
        (b"", (400, 422)),
        (b"not a picture", (415, 422)),
        (b"<svg onload=alert(1)>", (415, 422)),
        (b"\xff\xd8\xff\xe0" + b"\0" * 100, (415, 422)),
        (photo("cat")[:3000], (415, 422)),
        (bomb(), (413, 415, 422)),
        (gif(), (415, 422)),
        (tiny(), (415, 422)),
        (b"\xff\xd8\xff" + b"\0" * 11_000_000, (413, 422)),
    ],
    ids=["empty", "text", "svg", "header only", "truncated", "bomb", "gif", "tiny", "huge"],
)  # fmt: skip
def test_pictures(user: User, content: bytes, statuses: tuple[int, ...]) -> None:
    refused(user.http.post("/api/images", files={"file": ("x.jpg", content, "image/jpeg")}), *statuses)


def test_no_picture(user: User) -> None:
    refused(user.http.post("/api/images", files={"other": ("x.jpg", b"x")}), 422)
    refused(user.http.post("/api/images", content=b"raw", headers={"content-type": "image/jpeg"}), 415, 422)


@pytest.mark.parametrize(
    "change",
    [
        {"title": ""},
        {"title": "   \u3000 "},
        {"title": "x" * 10_000},
        {"title": "a\x00b"},
        {"title": "a\x1b[31mb"},
        {"title": "a\nb"},
        {"title": None},
        {"title": 5},
        {"title": "\ud800"},
        {"description": "x" * 5000},
        {"description": "a\x00b"},
        {"category": "unicorn"},
        {"image_id": "../../etc/passwd"},
        {"image_id": "0" * 64},
        {"image_id": None},
    ],
    ids=repr,
)  # fmt: skip
def test_items(user: User, image_id: str, change: dict[str, object]) -> None:
    before = user.http.get("/api/items/mine").json()
    import json

    body = json.dumps({"image_id": image_id, "title": "fine", "description": ""} | change)
    response = user.http.post("/api/items", content=body.encode("ascii"), headers={"content-type": "application/json"})
    refused(response, 404, 422)
    assert user.http.get("/api/items/mine").json() == before


def test_html_and_sql_are_just_text(user: User, image_id: str) -> None:
    title = "<script>alert(1)</script>'; DROP TABLE items; -- ねこ"
    answer = user.http.post("/api/items", json={"image_id": image_id, "title": title, "description": '" OR 1=1'})
    assert answer.status_code == 201
    assert user.item(answer.json()["id"])["title"] == title
    for query in ("' OR 1=1 --", "<img src=x onerror=alert(1)>", "%", "\\", ":*&|!()", "ねこ'; --"):
        assert user.http.get("/api/search", params={"q": query}).status_code == 200


def test_queries(user: User) -> None:
    for params in ({"q": "x" * 5000}, {"q": "a\x00b"}, {"category": "unicorn"}, {"limit": 0}, {"limit": 9999},
                   {"limit": "ten"}, {"cursor": "???"}):  # fmt: skip
        refused(user.http.get("/api/search", params=params), 422)
    refused(user.http.get("/api/search/similar", params={"item_id": "1"}), 422)
    refused(user.http.get("/api/search/similar", params={"item_id": str(uuid4())}), 404)


def test_unknown_things(user: User) -> None:
    for path in (f"/api/items/{uuid4()}", f"/api/images/{'0' * 64}", f"/api/identity/users/{uuid4()}", "/api/nowhere"):
        refused(user.http.get(path), 404)
    refused(user.http.get("/api/items/not-a-uuid"), 404, 422)
    refused(user.http.get("/v2/models/unicorn"), 404)


def test_other_peoples_items(platform: Platform, user: User, image_id: str) -> None:
    item = user.http.post("/api/items", json={"image_id": image_id, "title": "mine", "description": ""}).json()
    stranger = platform.user(number=5)
    refused(stranger.http.patch(f"/api/items/{item['id']}", json={"title": "theirs"}), 403, 404)
    refused(stranger.http.delete(f"/api/items/{item['id']}"), 403, 404)
    assert user.item(item["id"])["title"] == "mine"
    private = user.upload(photo("cat", salt=time.time_ns() % 2**32))
    refused(stranger.http.get(f"/api/images/{private}"), 404)
    refused(stranger.http.get(f"/api/images/{private}/original"), 404)
    body = {"image_id": private, "title": "a picture of somebody else", "description": ""}
    refused(stranger.http.post("/api/items", json=body), 404, 422)


Token = Callable[[], str]


@pytest.mark.parametrize(
    "token",
    [lambda: "", lambda: "abc", lambda: tokens.token(), lambda: "a.b.c"],
    ids=["none", "garbage", "forged", "three parts"],
)
def test_wrong_tokens(platform: Platform, token: Token) -> None:
    header = {"authorization": f"Bearer {token()}"} if token() else {}
    with platform.anonymous() as http:
        refused(http.post("/api/items", json={}, headers=header), 401)
        refused(http.post("/api/images", files={"file": b""}, headers=header), 401)
        refused(http.get("/api/items/mine", headers=header), 401)
        refused(http.post("/v2/models/image_screening/predict", content=b"x", headers=header), 401)


def test_wrong_passwords(platform: Platform) -> None:
    with platform.anonymous() as http:
        for form in ({"username": "nobody", "password": "x"}, {"username": "", "password": ""}, {}):
            response = http.post("/api/identity/token", data={"grant_type": "password"} | form)
            refused(response, 400, 401, 422)
        for body in ({"name": "", "password": "long enough 123"}, {"name": "x y\n", "password": "long enough 123"},
                     {"name": f"short{time.time_ns()}", "password": "short"}):  # fmt: skip
            refused(http.post("/api/identity/users", json=body), 422)
