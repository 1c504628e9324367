"""Who may see and do what. One test goes through every road there is and tries to see what is not published."""

import pytest

from services.chassis.ids import new_id
from services.contracts import Verdict
from tests.services.items.stage import Person, Stage


async def one_of_each(stage: Stage) -> dict[str, str]:
    """An item in every state."""
    ids = {}
    verdicts: dict[str, Verdict] = {"published": "publish", "rejected": "reject", "needs_review": "review"}
    for state, verdict in verdicts.items():
        item = await stage.registered(title=state)
        await stage.judge(item, verdict)
        ids[state] = item["id"]
    ids["screening"] = (await stage.registered(title="screening"))["id"]
    withdrawn = await stage.published(title="withdrawn")
    await stage.http.delete(f"/api/items/{withdrawn['id']}", headers=stage.owner.header)
    edited = await stage.published(title="edited")
    await stage.http.patch(f"/api/items/{edited['id']}", json={"title": "again"}, headers=stage.owner.header)
    taken_down = await stage.published(title="taken down")
    await stage.http.post(
        f"/api/items/{taken_down['id']}/review",
        json={"decision": "reject", "reason": "no"},
        headers=stage.moderator.header,
    )
    return ids | {"withdrawn": withdrawn["id"], "edited": edited["id"], "taken_down": taken_down["id"]}


async def test_no_road_shows_others_what_is_not_published(stage: Stage) -> None:
    ids = await one_of_each(stage)
    secrets = [item_id for state, item_id in ids.items() if state != "published"]
    roads = _roads(stage)
    assert set(roads) >= {"/api/items/mine", "/api/items/{item_id}", "/api/items/{item_id}/events"}
    for headers in ({}, stage.stranger.header):
        for road in roads:
            for secret in secrets if "{item_id}" in road else [""]:
                path = road.replace("{item_id}", secret)
                for query in ("", "?state=screening", "?limit=100", f"?owner_id={stage.owner.id}&sees_all=true"):
                    response = await stage.http.get(path + query, headers=headers)
                    assert response.status_code < 500
                    shown = response.text.replace(path, "")
                    assert not [state for state, item_id in ids.items() if item_id in shown and item_id in secrets]


def _roads(stage: Stage) -> list[str]:
    """Every path that can be read."""
    return [path for path, methods in stage.service.app.openapi()["paths"].items() if "get" in methods]


async def test_everybody_sees_the_published_and_its_owner_and_moderators_the_rest(stage: Stage) -> None:
    ids = await one_of_each(stage)
    operator = Person("operator", ("operator",))
    for state, item_id in ids.items():
        for by in (stage.owner, stage.moderator, operator):
            await stage.get({"id": item_id}, by=by)
        await stage.get({"id": item_id}, by=stage.stranger, status=200 if state == "published" else 404)
        anonymous = await stage.http.get(f"/api/items/{item_id}")
        assert anonymous.status_code == (200 if state == "published" else 404)


async def test_others_change_nothing(stage: Stage) -> None:
    for state, item_id in (await one_of_each(stage)).items():
        before = await stage.get({"id": item_id})
        for by in (stage.stranger, stage.moderator):
            edit = await stage.http.patch(f"/api/items/{item_id}", json={"title": "mine"}, headers=by.header)
            withdraw = await stage.http.delete(f"/api/items/{item_id}", headers=by.header)
            assert edit.status_code == withdraw.status_code == (403 if state == "published" else 404)
        assert await stage.get({"id": item_id}) == before


async def test_only_moderators_see_the_queue_and_decide(stage: Stage) -> None:
    item = await stage.registered()
    await stage.judge(item, "review")
    for headers, status in (({}, 401), (stage.owner.header, 403), (stage.stranger.header, 403)):
        assert (await stage.http.get("/api/items/review", headers=headers)).status_code == status
        decided = await stage.http.post(
            f"/api/items/{item['id']}/review", json={"decision": "publish"}, headers=headers
        )
        assert decided.status_code == status
    assert (await stage.get(item))["state"] == "needs_review"


async def test_mine_are_mine_newest_first_page_by_page(stage: Stage) -> None:
    made = [(await stage.registered(title=f"{n}"))["id"] for n in range(5)]
    await stage.registered(by=stage.stranger)
    await stage.judge({"id": made[1]}, "reject")

    async def page(query: str) -> tuple[list[str], str | None]:
        response = await stage.http.get(f"/api/items/mine{query}", headers=stage.owner.header)
        assert response.status_code == 200, response.text
        return [item["id"] for item in response.json()["items"]], response.json()["next"]

    assert await page("") == (made[::-1], None)
    first, cursor = await page("?limit=2")
    second, further = await page(f"?limit=2&cursor={cursor}")
    third, end = await page(f"?limit=2&cursor={further}")
    assert (first + second + third, end) == (made[::-1], None)
    assert await page("?state=rejected") == ([made[1]], None)
    assert await page("?limit=5") == (made[::-1], None)


@pytest.mark.parametrize("query", ["?limit=0", "?limit=101", "?limit=x", "?cursor=x", "?state=gone"])
async def test_impossible_pages_are_4xx(stage: Stage, query: str) -> None:
    response = await stage.http.get(f"/api/items/mine{query}", headers=stage.owner.header)
    assert response.status_code == 422


ROADS: dict[str, tuple[str, str, dict[str, str] | None]] = {
    "read": ("GET", "", None),
    "edit": ("PATCH", "", {"title": "x"}),
    "withdraw": ("DELETE", "", None),
    "like": ("PUT", "/like", None),
    "watch": ("GET", "/events", None),
    "decide": ("POST", "/review", {"decision": "publish"}),
}


@pytest.mark.parametrize("road", ROADS)
async def test_unknown_items_are_not_found(stage: Stage, road: str) -> None:
    method, path, body = ROADS[road]
    for item, status in ((str(new_id()), 404), ("not-an-id", 422)):
        response = await stage.http.request(
            method, f"/api/items/{item}{path}", json=body, headers=stage.moderator.header
        )
        assert response.status_code == status
