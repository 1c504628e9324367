"""A small upload is shown twice as large: nearer to the truth than bicubic, and the original stays as it was."""

import io
from base64 import b64decode

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from models.super_resolution.contract import MOST
from models.super_resolution.features import encode
from tests.platform import Platform, User, eventually, photo

MODEL = "/v2/models/super_resolution"
Pixels = NDArray[np.uint8]


@pytest.fixture(scope="module")
def user(platform: Platform) -> User:
    user = platform.user()
    if user.http.get(f"{MODEL}/ready").status_code != 200:
        pytest.skip("no version of super_resolution serves here yet")
    return user


def truth() -> Image.Image:
    """A cat that nothing was learnt from, with even sides."""
    whole = Image.open(io.BytesIO(photo("cat"))).convert("RGB")
    return whole.crop((0, 0, whole.width // 2 * 2, whole.height // 2 * 2))


def png(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def small(side: int = 1) -> Image.Image:
    return truth().resize((truth().width // 2 // side, truth().height // 2 // side), Image.Resampling.BICUBIC)


def pixels(raw: bytes) -> Pixels:
    return np.asarray(Image.open(io.BytesIO(raw)).convert("RGB"), np.uint8)


def test_it_is_nearer_to_the_photo_than_bicubic_and_the_original_stays(user: User) -> None:
    picture = user.http.post("/api/images", files={"file": ("cat.png", png(small()))}).json()
    before = user.http.get(picture["urls"]["original"]).content
    answer = user.http.get(picture["urls"]["enlarged"])
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-enlarged-by"].startswith("super_resolution/")
    assert answer.headers["content-type"] == "image/png"
    larger, wanted = pixels(answer.content), np.asarray(truth())
    plain = np.asarray(small().resize(truth().size, Image.Resampling.BICUBIC))
    assert larger.shape == wanted.shape
    assert peak_signal_noise_ratio(wanted, larger) > peak_signal_noise_ratio(wanted, plain) + 0.5
    ours, theirs = (structural_similarity(wanted, made, channel_axis=2) for made in (larger, plain))
    assert ours > theirs
    assert user.http.get(picture["urls"]["original"]).content == before
    assert np.array_equal(pixels(before), np.asarray(small()))
    again = user.http.get(picture["urls"]["enlarged"])
    assert again.content == answer.content
    assert user.http.get(
        picture["urls"]["enlarged"], headers={"if-none-match": again.headers["etag"]}
    ).status_code == 304  # fmt: skip


def test_serving_features_equal_training_features(user: User) -> None:
    """The friendly road, from a file, and tensors made by the training's code give the same pixels."""
    raw = png(small(side=3))
    inputs = encode(raw)["image"]
    tensor = {"name": "image", "datatype": "UINT8", "shape": list(inputs.shape), "data": inputs.ravel().tolist()}
    infer = user.http.post(f"{MODEL}/infer", json={"inputs": [tensor]})
    assert infer.status_code == 200, infer.text
    [output] = infer.json()["outputs"]
    from_tensors = np.array(output["data"], np.uint8).reshape(output["shape"])[0]
    friendly = user.http.post(f"{MODEL}/predict", content=raw).json()
    assert friendly["served_by"] == "model"
    assert np.array_equal(pixels(b64decode(friendly["picture"]["png"])), from_tensors)
    assert from_tensors.shape == (2 * inputs.shape[1], 2 * inputs.shape[2], 3)


def test_what_is_too_large_is_refused_with_what_is_allowed(user: User) -> None:
    large = png(Image.new("RGB", (MOST + 8, 64), "teal"))
    refused = user.http.post(f"{MODEL}/predict", content=large)
    assert refused.status_code == 422
    assert f"{MOST + 8} x 64" in refused.json()["detail"]
    shape = [1, MOST + 1, 1, 3]
    tensor = {"name": "image", "datatype": "UINT8", "shape": shape, "data": [0] * (3 * (MOST + 1))}
    answer = user.http.post(f"{MODEL}/infer", json={"inputs": [tensor]})
    assert 400 <= answer.status_code < 500
    assert str(MOST) in answer.json()["errors"][0]["allowed"]
    picture = user.http.post("/api/images", files={"file": ("large.png", large)}).json()
    assert "enlarged" not in picture["urls"]
    assert user.http.get(f"/api/images/{picture['id']}/enlarged").status_code == 409


def test_one_pixel_becomes_four(user: User) -> None:
    answer = user.http.post(f"{MODEL}/predict", content=png(Image.new("RGB", (1, 1), (9, 99, 199)))).json()
    assert (answer["picture"]["width"], answer["picture"]["height"]) == (2, 2)


def test_everybody_sees_it_once_the_item_is_published_and_nobody_before(platform: Platform, user: User) -> None:
    item = user.register(png(small(side=2)), "小さなねこの写真", "縮小した写真です。")
    path = f"/api/images/{item['image_id']}/enlarged"
    decided = user.decided(item["id"], seconds=90)
    with platform.anonymous() as http:
        if decided["state"] == "published":
            assert eventually(lambda: shown(http, path), "the enlarged picture").headers["content-type"] == "image/png"
        else:
            assert http.get(path).status_code == 404
    assert user.http.get(path).status_code == 200


def shown(http: httpx.Client, path: str) -> httpx.Response | None:
    answer = http.get(path)
    return answer if answer.status_code == 200 else None
