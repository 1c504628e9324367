"""Every champion is offered by the Open Inference Protocol, and its contract is enforced."""

from typing import Any

import numpy as np
import pytest

from models.image_screening import features
from models.labels import CATEGORIES, names
from tests.platform import Platform, User, photo

MODELS = ("image_screening", "image_quick", "text_violation")


@pytest.fixture(scope="module")
def user(platform: Platform) -> User:
    return platform.user()


@pytest.mark.parametrize("model", MODELS)
def test_every_model_is_ready_and_says_what_it_takes(user: User, model: str) -> None:
    assert user.http.get(f"/v2/models/{model}/ready").status_code == 200
    metadata = user.http.get(f"/v2/models/{model}").json()
    assert metadata["name"] == model
    assert metadata["versions"]
    assert all({"name", "datatype", "shape"} <= tensor.keys() for tensor in metadata["inputs"] + metadata["outputs"])


@pytest.mark.parametrize(
    ("name", "label"), [("cat", "cat"), ("coffee", "food"), ("flower", "flower"), ("temple", "house")]
)
def test_photos_of_real_things_are_right(user: User, name: str, label: str) -> None:
    answer = user.http.post("/v2/models/image_screening/predict", content=photo(name)).json()
    assert answer["served_by"] == "model"
    assert answer["category"]["label"] == label, answer["category"]


def infer(user: User, inputs: list[dict[str, Any]], model: str = "image_screening") -> Any:
    return user.http.post(f"/v2/models/{model}/infer", json={"inputs": inputs})


def image_tensor(array: np.ndarray[Any, Any]) -> dict[str, Any]:
    return {"name": "image", "datatype": "UINT8", "shape": list(array.shape), "data": array.ravel().tolist()}


def test_serving_features_equal_training_features(user: User) -> None:
    array = features.encode(photo("cat"))["image"]
    answer = infer(user, [image_tensor(array)])
    assert answer.status_code == 200, answer.text
    outputs = {tensor["name"]: tensor for tensor in answer.json()["outputs"]}
    probabilities = np.array(outputs["category"]["data"]).reshape(outputs["category"]["shape"])
    assert names(CATEGORIES)[int(probabilities[0].argmax())] == "cat"
    friendly = user.http.post("/v2/models/image_screening/predict", content=photo("cat")).json()
    assert friendly["category"]["score"] == pytest.approx(float(probabilities[0].max()), abs=1e-5)


def test_what_breaks_the_contract_is_refused_with_the_reason(user: User) -> None:
    good = image_tensor(np.zeros((1, 160, 160, 3), np.uint8))
    broken: dict[str, list[dict[str, Any]]] = {
        "datatype": [good | {"datatype": "FP32"}],
        "shape": [good | {"shape": [1, 160, 160], "data": [0] * 160 * 160}],
        "length": [good | {"data": [0]}],
        "range": [good | {"data": [300] * 76800}],
        "name": [good | {"name": "picture"}],
        "missing": [],
    }
    for why, inputs in broken.items():
        response = infer(user, inputs)
        assert 400 <= response.status_code < 500, (why, response.text[:200])
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["errors"], why


def test_texts(user: User) -> None:
    def score(text: str) -> float:
        answer = user.http.post("/v2/models/text_violation/predict", json={"text": text})
        assert answer.status_code == 200, answer.text
        return float(answer.json()["violation"]["score"])

    assert score("無料で稼げる!今すぐ登録 http://spam.example") > score("公園で見つけた三毛猫です。")
    assert user.http.post("/v2/models/text_violation/predict", json={"text": 5}).status_code == 422


def test_the_index_says_who_made_each_model(user: User) -> None:
    index = {model["name"]: model for model in user.http.post("/v2/repository/index", json={}).json()}
    assert set(MODELS) <= set(index)
    assert all(index[model]["state"] == "READY" for model in MODELS)
