"""What is shown and what is done is told, once, and only what is true."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from services.contracts import CloudEvent, SearchActed, SearchShown
from tests import tokens
from tests.services.search.library import Library

Header = Callable[..., dict[str, str]]


async def outbox(library: Library, kind: type[SearchShown] | type[SearchActed]) -> list[dict[str, Any]]:
    """The events of a kind that wait to be sent."""
    async with library.database.connection() as connection:
        found = await connection.execute("SELECT event FROM outbox WHERE type = %s ORDER BY id", (kind.type,))
        return [CloudEvent.model_validate(row["event"]).data for row in await found.fetchall()]


async def page(library: Library, path: str = "", **asked: Any) -> dict[str, Any]:
    headers = asked.pop("headers", {})
    answer = await library.http.get(f"/api/search{path}", params=asked, headers=headers)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def act(shown: dict[str, Any], at: int = 1, **changes: Any) -> dict[str, Any]:
    """A click on a result of the page."""
    said = {"search_id": shown["search_id"], "action": "click", "item_id": shown["results"][at - 1]["item_id"]}
    return {**said, "position": at, **changes}


async def tell(library: Library, said: dict[str, Any], headers: dict[str, str] | None = None) -> httpx.Response:
    return await library.http.post("/api/search/events", json=said, headers=headers or {})


@pytest.fixture
async def cats(library: Library) -> list[UUID]:
    return [await library.publish(f"cat {number}", category="cat") for number in range(5)]


async def test_a_page_is_told_of_when_it_is_answered(library: Library, cats: list[UUID], signed_in: Header) -> None:
    user = uuid4()
    shown = await page(library, q="cat", category="cat", headers=signed_in(user))
    (told,) = await outbox(library, SearchShown)
    data = SearchShown.model_validate(told)
    assert (data.search_id, data.subject, data.mode) == (UUID(shown["search_id"]), user, "text")
    assert (data.query, data.category, data.simulated) == ("cat", "cat", False)
    assert (data.experiment, data.ranker) == ("ranking", "default")
    assert [str(one.item_id) for one in data.impressions] == [one["item_id"] for one in shown["results"]]
    assert [one.position for one in data.impressions] == [1, 2, 3, 4, 5]


async def test_positions_go_on_over_the_pages_of_a_search(library: Library, cats: list[UUID]) -> None:
    first = await page(library, q="cat", limit=2)
    second = await page(library, q="cat", limit=2, cursor=first["next"])
    assert first["search_id"] == second["search_id"]
    told = [SearchShown.model_validate(one) for one in await outbox(library, SearchShown)]
    assert [[one.position for one in page.impressions] for page in told] == [[1, 2], [3, 4]]
    assert (await tell(library, act(second, 1, position=3))).status_code == 204


async def test_every_way_to_find_is_told(library: Library, cats: list[UUID], signed_in: Header) -> None:
    await page(library)
    await page(library, category="cat")
    await page(library, "/similar", item_id=str(cats[0]))
    await page(library, "/for-you", headers=signed_in())
    await page(library, q="zzzzzzzzzz")
    told = [SearchShown.model_validate(one) for one in await outbox(library, SearchShown)]
    assert [one.mode for one in told] == ["newest", "category", "similar", "for_you", "text"]
    assert told[-1].impressions == []


async def test_a_click_is_told_once(library: Library, cats: list[UUID], signed_in: Header) -> None:
    user = uuid4()
    shown = await page(library, q="cat", headers=signed_in(user))
    for _ in range(2):
        assert (await tell(library, act(shown, 2), signed_in(user))).status_code == 204
    assert (await tell(library, act(shown, 2, action="long_view", seconds=12), signed_in(user))).status_code == 204
    click, look = [SearchActed.model_validate(one) for one in await outbox(library, SearchActed)]
    assert (click.action, click.position, click.subject, click.seconds) == ("click", 2, user, None)
    assert (look.action, look.seconds) == ("long_view", 12.0)


async def test_who_was_not_signed_in_may_tell_too(library: Library, cats: list[UUID]) -> None:
    shown = await page(library, q="cat")
    assert (await tell(library, act(shown))).status_code == 204
    (told,) = await outbox(library, SearchActed)
    assert (told["subject"], told["group"]) == (None, None)


async def test_nobody_acts_in_anothers_name(library: Library, cats: list[UUID], signed_in: Header) -> None:
    shown = await page(library, q="cat", headers=signed_in(uuid4()))
    for headers in ({}, signed_in(uuid4())):
        answer = await tell(library, act(shown), headers)
        assert answer.status_code == 404
    assert await outbox(library, SearchActed) == []


@pytest.mark.parametrize(
    ("changes", "status", "where"),
    [
        ({"search_id": str(uuid4())}, 404, None),
        ({"item_id": str(uuid4())}, 422, "body.item_id"),
        ({"position": 2}, 422, "body.position"),
        ({"position": 0}, 422, "body.position"),
        ({"action": "buy"}, 422, "body.action"),
        ({"seconds": 20}, 422, "body"),
        ({"action": "long_view"}, 422, "body"),
        ({"action": "long_view", "seconds": 3}, 422, "body"),
        ({"action": "long_view", "seconds": 1e9}, 422, "body.seconds"),
    ],
)
async def test_what_is_not_true_is_refused(
    library: Library, cats: list[UUID], changes: dict[str, Any], status: int, where: str | None
) -> None:
    shown = await page(library, q="cat")
    answer = await tell(library, act(shown, **changes))
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    if where:
        assert answer.json()["errors"][0]["where"] == where
    assert await outbox(library, SearchActed) == []


async def test_programs_that_play_users_are_marked(library: Library, cats: list[UUID]) -> None:
    headers = {"authorization": f"Bearer {tokens.token(simulated=True)}"}
    shown = await page(library, q="cat", headers=headers)
    assert (await tell(library, act(shown), headers)).status_code == 204
    assert [one["simulated"] for one in await outbox(library, SearchShown)] == [True]
    assert [one["simulated"] for one in await outbox(library, SearchActed)] == [True]


async def test_impressions_and_clicks_are_counted_by_group(
    library: Library, cats: list[UUID], signed_in: Header
) -> None:
    user = uuid4()
    shown = await page(library, q="cat", headers=signed_in(user))
    for _ in range(2):
        await tell(library, act(shown), signed_in(user))
    metrics = (await library.http.get("/metrics")).text
    group = (await outbox(library, SearchShown))[0]["group"]
    assert f'search_impressions_total{{group="{group}",simulated="false"}} 5.0' in metrics
    assert f'search_clicks_total{{group="{group}",simulated="false"}} 1.0' in metrics
