"""Somebody registers a photo of a cat and finds it by typing ねこ."""

import time

import httpx
import pytest

from tests.platform import Platform, User, eventually, photo


@pytest.fixture
def user(platform: Platform) -> User:
    return platform.user()


@pytest.fixture(scope="module")
def cat(platform: Platform) -> dict[str, object]:
    user = platform.user()
    item = user.register(photo("cat", salt=time.time_ns() % 2**32), "窓辺のねこ", "日なたで眠っています。")
    return user.decided(item["id"])


def test_it_is_judged_tagged_and_searchable_within_seconds(cat: dict[str, object]) -> None:
    assert cat["state"] == "published", cat["reasons"]
    screening = cat["screening"]
    assert isinstance(screening, dict)
    assert screening["category"]["label"] == "cat"
    assert {"cat", "猫"} <= set(screening["tags"])
    assert {model["served_by"] for model in screening["models"].values()} == {"model"}
    assert cat["registered_at"] < cat["decided_at"] <= cat["searchable_at"]  # type: ignore[operator]


@pytest.mark.parametrize("query", ["ねこ", "ネコ", "猫", "cat", "cats", "Cat!", "ﾈｺ", "窓辺のねこ"])
def test_every_spelling_finds_it(user: User, cat: dict[str, object], query: str) -> None:
    assert cat["id"] in user.found(q=query)


def test_its_category_and_its_likeness_find_it(user: User, cat: dict[str, object]) -> None:
    assert cat["id"] in user.found(category="cat")
    answer = user.http.post(
        "/api/search/similar", files={"file": ("cat.jpg", photo("cat", salt=1))}, params={"limit": 60}
    )
    assert answer.status_code == 200, answer.text
    assert cat["id"] in [result["item_id"] for result in answer.json()["results"]][:30]


def test_nobody_needs_to_sign_in_to_find_and_see_it(platform: Platform, cat: dict[str, object]) -> None:
    with platform.anonymous() as http:
        results = http.get("/api/search", params={"q": "窓辺のねこ", "limit": 60}).json()["results"]
        assert cat["id"] in [result["item_id"] for result in results]
        assert http.get(f"/api/items/{cat['id']}").json()["title"] == "窓辺のねこ"
        picture = eventually(lambda: _shown(http, f"/api/images/{cat['image_id']}/thumbnail"), "its picture")
        assert picture.headers["content-type"].startswith("image/")


def _shown(http: httpx.Client, path: str) -> httpx.Response | None:
    answer = http.get(path)
    return answer if answer.status_code == 200 else None


def test_status_is_told_while_it_is_judged(user: User) -> None:
    item = user.register(photo("flower", salt=time.time_ns() % 2**32), "庭の花 Flower in the garden")
    states = []
    with user.http.stream("GET", f"/api/items/{item['id']}/events", timeout=30) as events:
        assert events.headers["content-type"].startswith("text/event-stream")
        states += [line for line in events.iter_lines() if line.startswith("data:")]
    assert "published" in states[-1]


def test_likes_are_counted_once(platform: Platform, cat: dict[str, object]) -> None:
    one, two = platform.user(number=0), platform.user(number=1)
    for _ in range(2):
        assert one.http.put(f"/api/items/{cat['id']}/like").status_code == 200
    assert two.http.put(f"/api/items/{cat['id']}/like").json() == {"likes": 2, "liked": True}
    assert two.http.delete(f"/api/items/{cat['id']}/like").json() == {"likes": 1, "liked": False}

    def one_like_is_found() -> bool:
        results = one.http.get("/api/search", params={"q": "窓辺のねこ", "limit": 60}).json()["results"]
        return [r["likes"] for r in results if r["item_id"] == cat["id"]] == [1]

    eventually(one_like_is_found, "the like in search")


def test_an_edit_is_judged_again_and_found_by_its_new_words(user: User) -> None:
    item = user.register(photo("coffee", salt=time.time_ns() % 2**32), "A cup of coffee")
    assert user.decided(item["id"])["state"] == "published"
    answer = user.http.patch(f"/api/items/{item['id']}", json={"title": "エスプレッソの時間"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["revision"] == 2
    assert user.decided(item["id"])["revision"] == 2
    results = user.http.get("/api/search", params={"q": "エスプレッソ", "limit": 60}).json()["results"]
    assert [r["title"] for r in results if r["item_id"] == item["id"]] == ["エスプレッソの時間"]


def test_a_withdrawn_item_is_gone(platform: Platform, user: User) -> None:
    item = user.register(photo("temple", salt=time.time_ns() % 2**32), "旅先の寺 zyxwtemple")
    assert user.decided(item["id"])["state"] == "published"
    assert item["id"] in user.found(q="zyxwtemple")
    assert user.http.delete(f"/api/items/{item['id']}").status_code in (200, 204)
    eventually(lambda: item["id"] not in user.found(q="zyxwtemple"), "its removal from search")
    with platform.anonymous() as http:
        assert http.get(f"/api/items/{item['id']}").status_code == 404
        eventually(
            lambda: http.get(f"/api/images/{item['image_id']}/thumbnail").status_code == 404, "its picture's removal"
        )


def test_registering_twice_with_one_key_makes_one_item(user: User) -> None:
    body = {"image_id": user.upload(photo("flower", salt=7)), "title": "once", "description": ""}
    key = {"Idempotency-Key": f"journey-{time.time_ns()}"}
    first, second = (user.http.post("/api/items", json=body, headers=key) for _ in range(2))
    assert first.status_code == 201
    assert second.json()["id"] == first.json()["id"]
    other = user.http.post("/api/items", json=body | {"title": "other"}, headers=key)
    assert other.status_code == 409
