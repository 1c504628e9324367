"""Those who watch an item hear of each change, however many they are."""

import asyncio
import json
from contextlib import AsyncExitStack
from typing import Any
from uuid import UUID

from services.chassis.ids import new_id
from services.chassis.service import beside
from services.items.watching import watched_items
from tests.services.items.stage import Stage


def watching(stage: Stage) -> Any:
    """The service's own loops, without the relay: the stage sends."""
    return beside(*(loop for loop in stage.service.loops if loop != stage.service.relay().run))


async def heard(stage: Stage, item: dict[str, Any]) -> list[dict[str, Any]]:
    """Every state that a watcher of the item is told, until the end."""
    response = await stage.http.get(f"/api/items/{item['id']}/events", headers=stage.owner.header)
    assert response.headers["content-type"].startswith("text/event-stream")
    sent = [block.splitlines() for block in response.text.split("\n\n") if block]
    blocks = [dict(line.split(": ", 1) for line in lines) for lines in sent]
    states = [json.loads(block["data"]) for block in blocks if block.get("event") == "state"]
    assert [int(block["id"]) for block in blocks if "id" in block] == [state["sequence"] for state in states]
    return states


async def listened(stage: Stage) -> None:
    """Wait until the service listens, so that what comes is a notification and not the poll."""
    while not await stage.rows("SELECT pid FROM pg_stat_activity WHERE query = 'LISTEN items_changed'"):
        await asyncio.sleep(0.01)


async def test_watchers_hear_the_whole_way_to_being_found(stage: Stage) -> None:
    item = await stage.registered()
    async with watching(stage):
        watchers = [asyncio.create_task(heard(stage, item)) for _ in range(20)]
        await listened(stage)
        await stage.judge(item)
        await stage.index(item)
        for states in await asyncio.wait_for(asyncio.gather(*watchers), 10):
            assert states[-1]["searchable_at"]
            order = [state["state"] for state in states]
            assert order == sorted(order, key=["screening", "published"].index)


async def test_what_is_final_is_told_once(stage: Stage) -> None:
    item = await stage.published()
    assert [state["state"] for state in await heard(stage, item)] == ["published"]
    rejected = await stage.registered()
    await stage.judge(rejected, "reject")
    [state] = await heard(stage, rejected)
    assert state["reasons"]


async def test_a_notification_wakes_those_who_watch_that_item(stage: Stage) -> None:
    item, other = await stage.registered(), await stage.registered()
    changes = watched_items(stage.database)
    with changes.watch(UUID(item["id"])) as changed, changes.watch(UUID(other["id"])) as unchanged:
        async with beside(changes.listen):
            await asyncio.wait_for(changed.wait(), 20)
            changed.clear()
            unchanged.clear()
            await stage.judge(item)
            await asyncio.wait_for(changed.wait(), 20)
            assert not unchanged.is_set()


async def test_without_notifications_one_look_finds_every_change(stage: Stage) -> None:
    items = [await stage.registered(title=f"{n}") for n in range(3)]
    changes = watched_items(stage.database)
    async with AsyncExitStack() as stack:
        events = [stack.enter_context(changes.watch(UUID(item["id"]))) for item in items for _ in range(50)]
        await changes.poll()
        for event in events:
            event.clear()
        await changes.poll()
        assert not any(event.is_set() for event in events)
        await stage.judge(items[0])
        await changes.poll()
        assert [event.is_set() for event in events] == [True] * 50 + [False] * 100
    assert not changes.watched


async def test_watching_survives_the_loss_of_its_connection(stage: Stage) -> None:
    item = await stage.registered()
    changes = watched_items(stage.database)

    async def woken(changed: asyncio.Event) -> None:
        await asyncio.wait_for(changed.wait(), 20)
        changed.clear()

    with changes.watch(UUID(item["id"])) as changed:
        async with beside(changes.listen):
            await woken(changed)
            await stage.run(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = 'LISTEN items_changed'"
            )
            await woken(changed)
            await stage.judge(item)
            await woken(changed)


async def test_strangers_watch_nothing_that_is_not_published(stage: Stage) -> None:
    item = await stage.registered()
    for item_id in (item["id"], str(new_id())):
        response = await stage.http.get(f"/api/items/{item_id}/events", headers=stage.stranger.header)
        assert response.status_code == 404
        assert response.headers["content-type"] == "application/problem+json"
