"""What rankers are given is what is logged and what they are trained on, through the running services."""

from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from models.for_you.features import Asked, Choosable, Chosen
from models.for_you.features import encode as encode_choices
from models.for_you.features import raw as raw_choices
from models.search_ranking.features import NAMES, encode, logged, raw
from pipelines import warehouse
from pipelines.interactions.log import TABLES, read
from pipelines.search_ranking.evaluate import examples
from pipelines.search_ranking.searches import Searched, searches
from tests.platform import Platform, User, eventually


@pytest.fixture(scope="module")
def user(platform: Platform) -> User:
    return platform.user()


def snapshot(platform: Platform, folder: Path) -> list[Searched]:
    """What pipelines learn from, as it is now."""
    operator = platform.user("operator")
    token = operator.http.headers["authorization"].removeprefix("Bearer ")
    warehouse.fetch(TABLES, folder, url=platform.url, token=token)
    return searches(read(folder).impressions)


def infer(user: User, model: str, arrays: dict[str, Any]) -> np.ndarray[Any, Any]:
    """The scores of a model for these features."""
    kinds = {"float32": "FP32", "int64": "INT64", "int32": "INT32"}
    inputs = [
        {"name": name, "datatype": kinds[str(array.dtype)], "shape": list(array.shape), "data": array.ravel().tolist()}
        for name, array in arrays.items()
    ]
    answer = user.http.post(f"/v2/models/{model}/infer", json={"inputs": inputs})
    assert answer.status_code == 200, answer.text
    output = answer.json()["outputs"][0]
    return np.array(output["data"], np.float32).reshape(output["shape"])


def test_what_somebody_does_is_learnt_from_with_the_features_they_were_served(
    platform: Platform, user: User, tmp_path: Path
) -> None:
    page = user.http.get("/api/search", params={"category": "cat", "limit": 30}).json()
    act = {"search_id": page["search_id"], "item_id": page["results"][1]["item_id"], "position": page["positions"][1]}
    assert user.http.post("/api/search/events", json=act | {"action": "click"}).status_code == 204
    like = user.http.put(f"/api/items/{page['results'][0]['item_id']}/like")
    assert like.status_code == 200, like.text

    def learnt() -> Searched | None:
        found = snapshot(platform, tmp_path)
        mine = (one for one in found if len(one.features) == len(page["results"]) and one.search.grades[1] == 1)
        return next((one for one in mine if one.search.grades[0] == 3), None)

    search = eventually(learnt, "the click and the like in the warehouse", 60)
    user.http.delete(f"/api/items/{page['results'][0]['item_id']}/like")
    assert search.features.dtype == np.float32
    assert search.features.shape == (len(page["results"]), len(NAMES))
    assert (search.features[:, NAMES.index("right_category")] == 1).all()
    again = logged([dict(zip(NAMES, map(float, row), strict=True)) for row in search.features])
    assert again.tobytes() == search.features.tobytes()


@pytest.mark.parametrize("model", ["search_ranking", "for_you"])
def test_the_host_answers_raw_questions_as_it_answers_features(user: User, model: str) -> None:
    """One function makes the features in training, in search and here: the same bytes give the same scores."""
    if user.http.get(f"/v2/models/{model}/ready").status_code != 200:
        pytest.skip(f"{model} has no champion yet: scripts/simulate gives it something to learn from")
    if model == "search_ranking":
        content = raw(examples()[0])
        scores = infer(user, model, encode(content))
        told = user.http.post(f"/v2/models/{model}/predict", content=content).json()["scores"]
        assert np.float32(told).tobytes() == scores[:, 0].tobytes()
        return
    cats = Asked([Choosable(UUID(int=1), "cat"), Choosable(UUID(int=2), "dog")], [Chosen(UUID(int=9), "cat", 3)])
    content = raw_choices(cats)
    scores = infer(user, model, encode_choices(content))
    best = user.http.post(f"/v2/models/{model}/predict", content=content).json()["best"]
    for one in best:
        assert np.float32(one["score"]) == scores[0, one["candidate"]]
    assert scores[0, 0] > scores[0, 1]
