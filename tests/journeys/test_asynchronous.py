"""The three styles of asking for later: request and poll, publish and subscribe, notification."""

import time
from uuid import uuid4

import httpx
import pytest

from tests.platform import Platform, User, eventually, photo

ASK = "/v2/models/image_screening/async"


@pytest.fixture
def user(platform: Platform) -> User:
    return platform.user()


def asked(user: User, **headers: str) -> str:
    answer = user.http.post(ASK, content=photo("cat", salt=time.time_ns() % 2**32), headers=headers)
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == f"/v2/jobs/{answer.json()['id']}"
    return str(answer.headers["location"])


def test_request_and_poll(user: User) -> None:
    location = asked(user)
    answer = eventually(lambda: _ended(user.http.get(location, params={"wait": 5})), "the job's answer")
    job = answer.json()
    assert (answer.status_code, job["state"]) == (200, "done")
    assert job["prediction"]["served_by"] == "model"
    assert job["prediction"]["category"]["label"] == "cat"


def test_who_does_not_wait_gets_the_default_and_later_the_answer(user: User) -> None:
    location = asked(user)
    first = user.http.get(location, params={"wait": 0.001})
    if first.status_code == 202:
        prediction = first.json()["prediction"]
        assert (prediction["served_by"], prediction["reason"]) == ("default", "deadline")
    later = eventually(lambda: _ended(user.http.get(location, params={"wait": 5})), "the job's answer").json()
    assert later["prediction"]["served_by"] == "model"


def test_a_text_and_a_key(user: User) -> None:
    key = {"Idempotency-Key": f"journey-{uuid4()}"}
    body = {"text": "窓辺のねこ"}
    ids = {user.http.post("/v2/models/text_violation/async", json=body, headers=key).json()["id"] for _ in range(2)}
    assert len(ids) == 1


def test_what_is_not_there_and_what_is_somebody_elses_look_alike(platform: Platform, user: User) -> None:
    location = asked(user)
    other = platform.user(number=1)
    assert other.http.get(location).status_code == 404
    assert user.http.get(f"/v2/jobs/{uuid4()}").status_code == 404
    assert platform.user("moderator").http.get(location).status_code in (200, 202)
    with platform.anonymous() as http:
        assert http.get(location).status_code == 401
        assert http.post(ASK, content=b"").status_code == 401


def test_notification_by_events(user: User) -> None:
    location = asked(user)
    with user.http.stream("GET", f"{location}/events", timeout=30) as events:
        assert events.headers["content-type"].startswith("text/event-stream")
        told = [line for line in events.iter_lines() if line.startswith("data:")]
    assert '"done"' in told[-1]


def test_notification_by_callback_is_for_known_hosts_only(user: User) -> None:
    answer = user.http.post(ASK, content=photo("cat"), headers={"Callback-Url": "http://postgres:8320/"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["where"] == "header.Callback-Url"


def test_publish_and_subscribe(user: User) -> None:
    """A registered item is an event; whoever screens, decides and indexes hears of it."""
    item = user.register(photo("coffee", salt=time.time_ns() % 2**32), "a cup of asynchronous coffee")
    assert user.decided(item["id"])["screening"]["models"]["image_screening"]["served_by"] == "model"


def test_dead_letters_are_the_operators(platform: Platform, user: User) -> None:
    assert user.http.get("/api/dead-letters").status_code == 403
    assert platform.user("operator").http.get("/api/dead-letters").status_code == 200


def _ended(answer: httpx.Response) -> httpx.Response | None:
    assert answer.status_code in (200, 202), answer.text
    return answer if answer.status_code == 200 else None
