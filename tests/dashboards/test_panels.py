"""Every panel shows something: its queries, asked of the real Prometheus of a platform that is used a little."""

import itertools
import math
import os
import time
from collections.abc import Callable, Iterator

import httpx
import pytest

from services.chassis.ports import PORTS
from tests.dashboards.panels import LATER, Panel, asked, every_panel
from tests.platform import Platform, User, photo

WITHIN_SECONDS = 180
PATIENT = 900
"""The first test of a platform waits for its models."""

Show = Callable[[str], bool]


@pytest.fixture(scope="module")
def shows(platform: Platform) -> Iterator[Show]:
    """`shows(query)`: whether the answer has a figure in it. PROMETHEUS_URL says where another platform's is."""
    moved = platform.offset if platform.state_dir or platform.project else 0
    url = os.environ.get("PROMETHEUS_URL", f"http://127.0.0.1:{PORTS['prometheus'] + moved}")
    with httpx.Client(base_url=url, timeout=20) as http:
        try:
            http.get("/-/ready").raise_for_status()
        except httpx.TransportError:
            pytest.skip("this platform has no Prometheus")

        def look(query: str) -> bool:
            answer = http.post("/api/v1/query", data={"query": query})
            assert answer.status_code == 200, f"{query}: {answer.text}"
            return any(not math.isnan(float(series["value"][1])) for series in answer.json()["data"]["result"])

        yield look


def used(user: User, number: int) -> str:
    """A little of everything: an item is registered, judged and looked for. Its id."""
    item = user.register(photo("cat", salt=910_000 + number), f"a cat for the graphs {number}")
    user.decided(item["id"], seconds=60)
    shown = user.http.get("/api/search", params={"q": "ねこ"}).json()
    if shown["results"]:
        click = {"search_id": shown["search_id"], "action": "click", "position": 1}
        user.http.post("/api/search/events", json=click | {"item_id": shown["results"][0]["item_id"]})
    user.http.get("/")
    return str(item["id"])


@pytest.mark.timeout(PATIENT)
def test_no_panel_is_empty(platform: Platform, shows: Show) -> None:
    waiting = {(panel, query) for panel in every_panel() if panel.title not in LATER for query in panel.queries}
    assert len(waiting) > 50
    deadline, rounds = time.monotonic() + WITHIN_SECONDS, itertools.count()
    user, items = platform.user(), []
    while waiting and time.monotonic() < deadline:
        items.append(used(user, next(rounds)))
        waiting = {(panel, query) for panel, query in waiting if not shows(asked(query))}
    for item_id in items:  # else they are the first that other tests find
        user.http.delete(f"/api/items/{item_id}")
    assert not sorted(f"{panel}: {query}" for panel, query in waiting)


@pytest.mark.timeout(PATIENT)
@pytest.mark.parametrize("panel", [panel for panel in every_panel() if panel.title in LATER], ids=str)
def test_what_is_filled_later_is_not_yet(panel: Panel, shows: Show) -> None:
    filled = [query for query in panel.queries if shows(asked(query))]
    assert not filled, f"{panel} shows something: take it off LATER"


def test_what_is_filled_later_exists() -> None:
    assert {panel.title for panel in every_panel()} >= LATER
