"""What a host computed from raw bytes is what training computes from them, byte for byte.

The prediction log keeps the hash of every large tensor as the model got it (small ones with their values). A prediction
is made through the running service, and its record held against `features.encode` of this clone.
"""

import hashlib
import io
import json
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from pipelines import warehouse
from tests.platform import Platform, User, eventually, photo

TITLE, DESCRIPTION = "Ｆｒｅｅ　ねこ ﾈｺ CAT ①", "  今だけ\tSALE 50%!! http://example.com "


def other(kind: str, size: tuple[int, int] = (700, 391)) -> bytes:
    """The cat in another format, of another shape, lying on its side."""
    picture, out, exif = Image.open(io.BytesIO(photo("cat"))), io.BytesIO(), Image.Exif()
    exif[0x0112] = 6
    picture.convert("RGB").resize(size).save(out, kind, exif=exif)
    return out.getvalue()


PICTURES = {"jpeg": photo("cat"), "png": other("PNG"), "webp, lying": other("WEBP"), "small": other("JPEG", (90, 61))}
TEXTS = {"mixed": f"{TITLE}\n{DESCRIPTION}", "japanese": "公園で見つけた三毛猫です。", "long": "very cheap " * 180}
CASES = [
    *((model, what) for model in ("image_screening", "image_quick", "object_attributes") for what in PICTURES),
    ("super_resolution", "small"),
    *((model, what) for model in ("text_violation", "input_assist", "similar_words") for what in TEXTS),
]


@pytest.fixture(scope="module")
def asked(platform: Platform) -> dict[tuple[str, str], str]:
    """A prediction for each case, by the id in its answer."""
    user, found = platform.user(), {}
    there = {model for model, _ in CASES if user.served_by(model)}
    assert there >= {"image_screening", "image_quick", "text_violation"}
    for model, what in ((model, what) for model, what in CASES if model in there):
        address = f"/v2/models/{model}/predict"
        text = what in TEXTS
        answer = user.http.post(address, **({"json": {"text": TEXTS[what]}} if text else {"content": PICTURES[what]}))
        assert answer.status_code == 200, answer.text
        assert answer.json()["served_by"] == "model", (model, answer.json()["reason"])
        found[model, what] = answer.json()["id"]
    return found


@pytest.fixture(scope="module")
def logged(platform: Platform, asked: dict[tuple[str, str], str], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The inputs of each of them, as the hosts logged them."""
    operator, folder = platform.user("operator"), tmp_path_factory.mktemp("log")
    return eventually(lambda: _records(operator, set(asked.values()), folder), "the prediction log", 90)


def _records(operator: User, ids: set[str], folder: Path) -> dict[str, dict[str, Any]] | None:
    token = operator.http.headers["authorization"].removeprefix("Bearer ")
    warehouse.fetch(["predictions"], folder, url=str(operator.http.base_url), token=token)
    rows = warehouse.rows(folder / "predictions.parquet", "SELECT prediction_id, inputs FROM snapshot")
    found = {str(row["prediction_id"]): json.loads(row["inputs"]) for row in rows if str(row["prediction_id"]) in ids}
    return found if len(found) == len(ids) else None


@pytest.mark.parametrize(("model", "what"), CASES)
def test_serving_features_equal_training_features(asked: Any, logged: Any, model: str, what: str) -> None:
    if (model, what) not in asked:
        pytest.skip(f"this platform has not trained {model}: scripts/train {model}")
    raw = TEXTS[what].encode() if what in TEXTS else PICTURES[what]
    wanted = import_module(f"models.{model}.features").encode(raw)
    served = logged[asked[model, what]]
    assert served.keys() == wanted.keys()
    for name, array in wanted.items():
        assert served[name]["shape"] == list(array.shape)
        assert _hash_of(served[name], array) == hashlib.sha256(array.tobytes()).hexdigest(), name


def _hash_of(tensor: dict[str, Any], like: NDArray[Any]) -> str:
    if tensor.get("sha256"):
        return str(tensor["sha256"])
    return hashlib.sha256(np.array(tensor["data"], like.dtype).tobytes()).hexdigest()


def test_one_changed_byte_would_be_noticed(asked: Any, logged: Any) -> None:
    array = import_module("models.image_screening.features").encode(PICTURES["jpeg"])["image"].copy()
    array[0, 80, 80, 1] ^= 1
    served = logged[asked["image_screening", "jpeg"]]["image"]
    assert _hash_of(served, array) != hashlib.sha256(array.tobytes()).hexdigest()


@pytest.mark.parametrize("model", ["image_screening", "image_quick"])
def test_features_of_this_clone_get_the_very_answer_that_the_picture_gets(platform: Platform, model: str) -> None:
    user = platform.user()
    name, array = next(iter(import_module(f"models.{model}.features").encode(PICTURES["png"]).items()))
    datatype = {"uint8": "UINT8", "float32": "FP32"}[str(array.dtype)]
    tensor = {"name": name, "datatype": datatype, "shape": list(array.shape), "data": array.ravel().tolist()}
    outputs = user.http.post(f"/v2/models/{model}/infer", json={"inputs": [tensor]}).json()["outputs"]
    violation = next(one for one in outputs if one["name"] == "violation")["data"]
    friendly = user.http.post(f"/v2/models/{model}/predict", content=PICTURES["png"]).json()
    assert friendly["violation"]["score"] == pytest.approx(1 - violation[0], abs=1e-6)
