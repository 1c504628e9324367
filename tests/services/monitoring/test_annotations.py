"""Releases and training runs are noted once and reach Grafana once, whoever is away in between."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID

import httpx

from services.chassis.service import Service, beside
from tests.conftest import MakeClient
from tests.services.monitoring.conftest import FakeGrafana, Listed, Neighbours

MakeService = Callable[[], Service]


def run(number: int, state: str = "succeeded", **more: Any) -> dict[str, Any]:
    """A training run as the trainer shows it."""
    return {
        "id": str(UUID(int=number)),
        "models": ["image_quick"],
        "trigger": "demand",
        "why": "asked for",
        "requested_by": "kuro",
        "state": state,
        "stage": None,
        "progress": 1.0,
        "versions": {"image_quick": "4"} if state == "succeeded" else {},
        "error": None,
        "queued_at": "2026-03-01T09:59:00Z",
        "started_at": "2026-03-01T10:00:00Z",
        "finished_at": "2026-03-01T10:01:30Z",
    } | more


async def noted(listed: Listed, http: httpx.AsyncClient, count: int, sent: bool = False) -> list[dict[str, Any]]:
    """The annotations, the newest first, as soon as there are so many, and Grafana has them."""
    async with asyncio.timeout(20):
        while True:
            found = await listed(http, "annotations")
            if len(found) >= count and (not sent or all(one["sent_at"] for one in found)):
                return found
            await asyncio.sleep(0.02)


async def counted(http: httpx.AsyncClient, metric: str) -> None:
    """Returns as soon as the metric stands so: it is counted just after it is kept."""
    async with asyncio.timeout(20):
        while metric not in (await http.get("/metrics")).text:
            await asyncio.sleep(0.02)


async def test_every_new_champion_is_a_release(
    monitoring: MakeService, client: MakeClient, neighbours: Neighbours, listed: Listed
) -> None:
    neighbours.champions = {"image_quick": "3", "text_violation": "1", "candidate_only": ""}
    service = monitoring()
    http = client(service)
    async with beside(*service.loops):
        first = await noted(listed, http, 2)
        neighbours.champions["image_quick"] = "4"
        await noted(listed, http, 3)
        neighbours.champions["image_quick"] = "3"  # rolled back
        found = await noted(listed, http, 4)
        await counted(http, 'annotations_total{kind="release"} 4.0')
    assert {one["text"] for one in first} == {
        "image_quick: version 3 is the champion",
        "text_violation: version 1 is the champion",
    }
    assert [one["text"] for one in found[:2]] == [
        "image_quick: version 3 is the champion, instead of 4",
        "image_quick: version 4 is the champion, instead of 3",
    ]
    assert found[0]["tags"] == ["release", "image_quick"]


async def test_a_restart_notes_nothing_again(
    monitoring: MakeService, client: MakeClient, neighbours: Neighbours, listed: Listed
) -> None:
    neighbours.champions, neighbours.runs = {"image_quick": "3"}, [run(1)]
    service = monitoring()
    async with beside(*service.loops):
        before = await noted(listed, client(service), 2)
    again = monitoring()
    neighbours.champions = {"image_quick": "3", "text_violation": "1"}
    async with beside(*again.loops):
        after = await noted(listed, client(again), 3)
    assert len(after) == len(before) + 1


async def test_two_that_follow_at_once_note_a_release_once(
    monitoring: MakeService, client: MakeClient, neighbours: Neighbours, listed: Listed
) -> None:
    neighbours.page = 7
    neighbours.champions = {f"model_{number}": "1" for number in range(20)}
    one, other = monitoring(), monitoring()
    async with beside(*one.loops), beside(*other.loops):
        await noted(listed, client(one), 20)
        neighbours.champions |= {"last": "1"}
        found = await noted(listed, client(other), 21)
    assert len(found) == 21


async def test_a_run_is_noted_when_it_has_ended(
    monitoring: MakeService, client: MakeClient, neighbours: Neighbours, listed: Listed
) -> None:
    neighbours.runs = [
        run(3, "queued", started_at=None, finished_at=None),
        run(2, "running", finished_at=None),
        run(1, "failed"),
    ]
    service = monitoring()
    http = client(service)
    async with beside(*service.loops):
        (failed,) = await noted(listed, http, 1)
        neighbours.runs = [run(2), *neighbours.runs[2:]]
        found = await noted(listed, http, 2)
    assert failed["text"] == "Training failed (demand: asked for): image_quick"
    assert (failed["began_at"], failed["ended_at"]) == ("2026-03-01T10:00:00Z", "2026-03-01T10:01:30Z")
    assert "Training succeeded (demand: asked for): image_quick version 4" in [one["text"] for one in found]
    assert [one["tags"] for one in found if "succeeded" in one["text"]] == [["training", "succeeded", "image_quick"]]
    assert await listed(http, "annotations?kind=release") == []


async def test_a_run_that_made_nothing_for_now_says_why(
    monitoring: MakeService, client: MakeClient, neighbours: Neighbours, listed: Listed
) -> None:
    neighbours.runs = [run(1, models=["for_you"], versions={}, waiting={"for_you": "3 of 20 visitors"})]
    service = monitoring()
    async with beside(*service.loops):
        (found,) = await noted(listed, client(service), 1)
    assert found["text"] == "Training succeeded (demand: asked for): for_you waits for data (3 of 20 visitors)"


async def test_who_is_away_is_waited_for(
    monitoring: MakeService, client: MakeClient, neighbours: Neighbours, listed: Listed
) -> None:
    neighbours.champions, neighbours.runs = None, [run(1)]
    service = monitoring()
    http = client(service)
    async with beside(*service.loops):
        await noted(listed, http, 1)
        neighbours.champions, neighbours.runs = {"image_quick": "3"}, None
        assert len(await noted(listed, http, 2)) == 2


async def test_grafana_gets_each_once_when_it_comes(
    monitoring: MakeService, client: MakeClient, neighbours: Neighbours, listed: Listed, grafana: FakeGrafana
) -> None:
    neighbours.grafana = "http://127.0.0.1:1"
    neighbours.champions, neighbours.runs = {"image_quick": "3"}, [run(1)]
    away = monitoring()
    async with beside(*away.loops):
        waiting = await noted(listed, client(away), 2)
    assert [one["sent_at"] for one in waiting] == [None, None]
    neighbours.grafana, grafana.lost = grafana.url, 1
    service = monitoring()
    http = client(service)
    async with beside(*service.loops):
        found = await noted(listed, http, 2, sent=True)
        await counted(http, "annotations_sent_total 2.0")
    assert len(grafana.kept) == 2
    training = next(note for note in grafana.kept if "training" in note["tags"])
    assert training["timeEnd"] - training["time"] == 90_000
    assert {one["text"] for one in found} == {note["text"] for note in grafana.kept}
