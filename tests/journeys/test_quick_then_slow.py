"""Through the proxy: a quick answer at once, the better one by asking again and by listening."""

import json
from typing import Any

import httpx

from tests.platform import Platform, eventually, photo

QUICK, SLOW = "image_quick", "image_screening"


def asked(http: httpx.Client, picture: bytes) -> dict[str, Any]:
    answer = http.post("/api/proxy/predict", content=picture)
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


def test_the_quick_answer_then_the_slow_one(platform: Platform) -> None:
    http = platform.user().http
    told = asked(http, photo("coffee", 90_001))
    assert (told["state"], told["fast"]["model"], told["slow"]) == ("pending", QUICK, None)

    def done() -> dict[str, Any] | None:
        answer = http.get(f"/api/proxy/jobs/{told['id']}")
        return dict(answer.json()) if answer.status_code == 200 else None

    job = eventually(done, "the slow answer")
    assert (job["state"], job["slow"]["model"], job["fast"]) == ("done", SLOW, told["fast"])
    again = http.post("/api/proxy/predict", content=photo("coffee", 90_001))
    assert again.json()["slow"]["category"] == job["slow"]["category"]


def test_server_sent_events(platform: Platform) -> None:
    http = platform.user().http
    told = asked(http, photo("coffee", 90_002))
    with http.stream("GET", f"/api/proxy/jobs/{told['id']}/events") as answer:
        lines = [line for line in answer.iter_lines() if line.startswith("data:")]
    assert json.loads(lines[-1].removeprefix("data:"))["state"] == "done"


def test_nobody_else_sees_it(platform: Platform) -> None:
    told = asked(platform.user(number=0).http, photo("coffee", 90_003))
    assert platform.anonymous().get(f"/api/proxy/jobs/{told['id']}").status_code == 401
    assert platform.anonymous().post("/api/proxy/predict", content=b"x").status_code == 401
