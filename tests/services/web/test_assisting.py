"""Suggestions on the form: the quick answer, the refined one, what is typed; and that registering waits for none."""

import json
from typing import Any

import httpx
import orjson
import pytest
from fastapi import Request, Response

from tests.services.web.conftest import SignIn, csrf
from tests.services.web.fakes import FakeServices

GOOD_PICTURE = b"\xff\xd8\xff" + bytes(200)
JOB, PREDICTION = "0190a0b0-0000-7000-8000-00000000000a", "0190a0b0-0000-7000-8000-00000000000b"
PICTURE = {"file": ("cat.jpg", GOOD_PICTURE, "image/jpeg")}


def prediction(model: str, label: str, served_by: str = "model") -> dict[str, Any]:
    top = [{"label": label, "score": 0.92}, {"label": "dog", "score": 0.05}]
    return {"id": PREDICTION, "model": model, "served_by": served_by, "category": {"label": label, "top": top}}


class Models:
    """The proxy, texts and the detector: what they were asked, and what they answer."""

    def __init__(self, fakes: FakeServices) -> None:
        self.quick: dict[str, Any] | None = prediction("image_quick", "dog")
        self.forms: list[dict[str, Any]] = []
        self.pictures: list[bytes] = []
        app = fakes.app

        @app.post("/api/proxy/predict", status_code=202)
        async def _predict(request: Request) -> Any:
            self.pictures.append(await request.body())
            return {"id": JOB, "state": "pending", "fast": self.quick, "slow": None}

        @app.get("/api/proxy/jobs/{job_id}/events")
        async def _events(job_id: str) -> Response:
            assert job_id == JOB
            states = [self.job("pending", None), self.job("done", prediction("image_screening", "cat"))]
            lines = "".join(f"event: state\ndata: {json.dumps(state)}\n\n" for state in states)
            return Response(lines, media_type="text/event-stream")

        @app.post("/v2/models/object_attributes/predict")
        async def _attributes(request: Request) -> Any:
            assert await request.body() == GOOD_PICTURE
            told = {"count": 2, "brightness": "dark", "place": None, "where": [], "objects": []}
            return {"id": PREDICTION, "model": "object_attributes", "served_by": "model", "attributes": told}

        @app.post("/api/texts/suggest")
        async def _suggest(form: dict[str, Any]) -> Any:
            self.forms.append(form)
            seen = form["seen"].get("category", {"model": "input_assist", "id": None, "top": []})
            label = seen["top"][0]["label"] if seen["top"] else "bird"
            one = {"field": "category", "value": label, "shown": "猫", "score": 0.92, "model": seen["model"]}
            tag = {"field": "tag", "value": "猫", "shown": "猫", "score": None, "model": "words"}
            return {"suggestions": [one | {"prediction_id": PREDICTION}, tag | {"prediction_id": None}]}

    def job(self, state: str, slow: dict[str, Any] | None) -> dict[str, Any]:
        return {"id": JOB, "state": state, "fast": self.quick, "slow": slow}


@pytest.fixture
def models(fakes: FakeServices) -> Models:
    return Models(fakes)


async def ask(
    browser: httpx.AsyncClient, path: str, form: dict[str, str], files: Any = None
) -> tuple[int, dict[str, Any]]:
    """Status and JSON of what the page's script asks."""
    answer = await browser.post(path, data=form | {"csrf": await csrf(browser, "/register")}, files=files)
    return answer.status_code, answer.json()


async def test_the_picture_is_kept_once_and_the_quick_answer_comes(
    signed_in_as: SignIn, fakes: FakeServices, models: Models
) -> None:
    browser = await signed_in_as()
    status, told = await ask(browser, "/register/picture", {"title": "", "description": ""}, PICTURE)
    assert status == 200
    assert list(fakes.pictures) == [told["image_id"]]
    assert models.pictures == [GOOD_PICTURE]
    assert (told["job"], told["refined"], told["pending"]) == (JOB, False, True)
    assert told["suggestions"][0]["text"] == "猫 92 %"
    assert told["suggestions"][0]["by"] == "quick look"
    assert told["suggestions"][1]["text"] == "#猫"
    form = {"title": "Kept", "description": "", "category": "dog", "key": "k", "image_id": told["image_id"]}
    answer = await browser.post("/register", data=form | {"csrf": await csrf(browser, "/register")})
    assert answer.status_code == 303
    uploads = [request for request in fakes.asked if request.method == "POST" and request.url.path == "/api/images"]
    assert len(uploads) == 1


async def test_the_refined_answer_is_the_deep_models_with_what_the_detector_counts(
    signed_in_as: SignIn, models: Models
) -> None:
    browser = await signed_in_as()
    _, quick = await ask(browser, "/register/picture", {}, PICTURE)
    _, told = await ask(browser, "/register/refined", {"job": quick["job"], "image_id": quick["image_id"]})
    assert (told["refined"], told["pending"]) == (True, False)
    assert told["suggestions"][0]["value"] == "cat"
    assert told["seen"]["category"]["model"] == "image_screening"
    assert told["seen"]["attributes"] == {
        "model": "object_attributes", "id": PREDICTION, "count": 2, "brightness": "dark", "place": None
    }  # fmt: skip


async def test_what_is_typed_goes_to_texts_with_what_was_seen(signed_in_as: SignIn, models: Models) -> None:
    browser = await signed_in_as()
    seen = {"category": {"model": "image_quick", "id": PREDICTION, "top": [{"label": "cat", "score": 0.9}]}}
    form = {"title": "うちのね", "description": "a\r\nb", "seen": json.dumps(seen)}
    _, told = await ask(browser, "/register/suggestions", form)
    assert told["suggestions"][0]["value"] == "cat"
    assert models.forms[-1] == {"title": "うちのね", "description": "a\nb", "language": "en", "seen": seen}


@pytest.mark.parametrize("seen", ["", "{", "[]", "7"])
async def test_what_the_page_cannot_have_seen_is_nothing(signed_in_as: SignIn, models: Models, seen: str) -> None:
    status, _ = await ask(await signed_in_as(), "/register/suggestions", {"title": "x", "seen": seen})
    assert (status, models.forms[-1]["seen"]) == (200, {})


@pytest.mark.parametrize("dead", [{"proxy"}, {"texts"}, {"proxy", "texts", "inference-sync", "second"}])
async def test_while_models_rest_the_picture_is_kept_all_the_same(
    signed_in_as: SignIn, fakes: FakeServices, models: Models, dead: set[str]
) -> None:
    browser = await signed_in_as()
    fakes.dead = dead
    status, told = await ask(browser, "/register/picture", {}, PICTURE)
    assert status == 200
    assert told["image_id"] in fakes.pictures
    refined, _ = await ask(browser, "/register/refined", {"job": JOB, "image_id": told["image_id"]})
    typed, _ = await ask(browser, "/register/suggestions", {"title": "x"})
    assert (refined, typed) == (200, 200)


async def test_while_pictures_rest_nothing_is_suggested(
    signed_in_as: SignIn, fakes: FakeServices, models: Models
) -> None:
    browser = await signed_in_as()
    fakes.dead = {"images"}
    assert await ask(browser, "/register/picture", {}, PICTURE) == (200, {})


async def test_a_default_answer_suggests_nothing(signed_in_as: SignIn, models: Models) -> None:
    models.quick = prediction("image_quick", "cat", served_by="default")
    _, told = await ask(await signed_in_as(), "/register/picture", {}, PICTURE)
    assert told["seen"] == {}


async def test_what_is_no_picture_is_said_at_once(signed_in_as: SignIn, models: Models) -> None:
    bad = {"file": ("a.txt", b"words", "text/plain")}
    status, told = await ask(await signed_in_as(), "/register/picture", {}, bad)
    assert (status, told["fault"][:26]) == (422, "This file is not a picture")


@pytest.mark.parametrize("path", ["/register/picture", "/register/refined", "/register/suggestions"])
async def test_only_our_own_page_may_ask(signed_in_as: SignIn, browser: httpx.AsyncClient, path: str) -> None:
    assert (await (await signed_in_as()).post(path, data={"title": "x"})).status_code == 419
    assert (await browser.post(path, data={"title": "x"})).status_code in (303, 419)


async def test_what_was_suggested_goes_with_the_registration(
    signed_in_as: SignIn, fakes: FakeServices, models: Models
) -> None:
    browser = await signed_in_as()
    good = {"field": "category", "value": "cat", "model": "image_quick", "prediction_id": PREDICTION}
    bad = [{"field": "x", "value": "y", "model": "z"}, 7, {"field": "tag", "value": "", "model": "words"}]
    told = json.dumps([good, *bad, *({"field": "tag", "value": f"t{n}", "model": "words"} for n in range(39))])
    form = {"title": "t", "key": "k", "csrf": await csrf(browser, "/register"), "suggestions": told}
    await browser.post("/register", data=form, files=PICTURE)
    sent = next(r for r in fakes.asked if r.method == "POST" and r.url.path == "/api/items")
    suggestions = orjson.loads(sent.content)["suggestions"]
    assert len(suggestions) == 40
    assert suggestions[0] == good


async def test_a_page_that_tells_nonsense_registers_all_the_same(signed_in_as: SignIn, fakes: FakeServices) -> None:
    browser = await signed_in_as()
    form = {"title": "t", "key": "k", "csrf": await csrf(browser, "/register"), "suggestions": "}{"}
    assert (await browser.post("/register", data=form, files=PICTURE)).status_code == 303
