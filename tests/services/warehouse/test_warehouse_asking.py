"""What the warehouse answers over HTTP, and how pipelines fetch it."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from pipelines import warehouse as reader
from services.chassis.service import Service
from services.warehouse import views
from services.warehouse.main import build
from tests.conftest import MakeBackends, MakeClient
from tests.services.warehouse.conftest import Stage
from tests.services.warehouse.events import BEGAN, clicked, liked, screened, segment, shown

Header = Callable[..., dict[str, str]]
OUTSIDE = {"x-forwarded-for": "203.0.113.9"}


@pytest.fixture
async def service(stage: Stage, backends: MakeBackends, monkeypatch: pytest.MonkeyPatch) -> Service:
    monkeypatch.setenv("WAREHOUSE_DIR", str(stage.shelf.folder))
    return build(backends(database=stage.database))


@pytest.fixture
def http(service: Service, client: MakeClient) -> httpx.AsyncClient:
    return client(service)


class InLoop(httpx.BaseTransport):
    """Lets a pipeline, which waits, ask a service of this process, which must not."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http, self._loop = http, asyncio.get_running_loop()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        asked = self._http.get(str(request.url.path), params=request.url.params, headers=request.headers)
        answer = asyncio.run_coroutine_threadsafe(asked, self._loop).result()
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


async def fetched(http: httpx.AsyncClient, tables: list[str], into: Path, minutes: float) -> reader.Snapshot:
    until = BEGAN + timedelta(minutes=minutes)
    transport = InLoop(http)
    return await asyncio.to_thread(reader.fetch, tables, into, until, url="http://service", transport=transport)


async def test_operators_and_those_inside_may_ask(http: httpx.AsyncClient, signed_in: Header) -> None:
    assert (await http.get("/api/warehouse/figures")).status_code == 200
    assert (await http.get("/api/warehouse/figures", headers=OUTSIDE)).status_code == 401
    assert (await http.get("/api/warehouse/tables", headers=OUTSIDE | signed_in())).status_code == 403
    assert (await http.get("/api/warehouse/tables", headers=signed_in(roles=("operator",)))).status_code == 200
    assert (await http.get("/api/warehouse/snapshot/likes", headers=OUTSIDE)).status_code == 401


async def test_a_snapshot_holds_what_happened_before_its_moment(
    stage: Stage, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    early, late = shown(minutes=1), shown(minutes=9)
    await stage.store(early, late, clicked(early, at=2, minutes=3), liked(minutes=4), segment())
    snapshot = await fetched(http, ["impressions", "actions", "likes", "items", "predictions"], tmp_path, 5)
    counts = {part.table: part.rows for part in snapshot.parts}
    assert counts == {"impressions": 3, "actions": 1, "likes": 1, "items": 0, "predictions": 3}
    first, *_ = reader.rows(tmp_path / "impressions.parquet")
    assert first["search_id"] == early.data["search_id"]
    assert (first["position"], first["query"], first["features"]) == (1, "猫", '{"likes":1.0}')
    (action,) = reader.rows(tmp_path / "actions.parquet", "SELECT action, position FROM snapshot")
    assert action == {"action": "click", "position": 2}


async def test_the_same_moment_gives_the_same_bytes_whatever_became_of_the_files(
    stage: Stage, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    pages = [shown(minutes=minute / 10) for minute in range(6)]
    for page in reversed(pages):
        await stage.store(page)
    one = await fetched(http, ["impressions", "searches"], tmp_path / "one", 5)
    await stage.tidying(several=2).compact()
    await stage.store(shown(minutes=7))
    other = await fetched(http, ["searches", "impressions"], tmp_path / "other", 5)
    assert one == other
    assert reader.read(tmp_path / "one") == one
    (tmp_path / "one" / "searches.parquet").write_bytes(b"something else")
    with pytest.raises(reader.Torn):
        reader.read(tmp_path / "one")


async def test_nothing_of_a_snapshot_stays_in_the_folder(stage: Stage, http: httpx.AsyncClient) -> None:
    await stage.store(shown())
    before = stage.files()
    assert (await http.get("/api/warehouse/snapshot/impressions")).status_code == 200
    assert stage.files() == before


async def test_without_a_warehouse_a_pipeline_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WAREHOUSE_URL", raising=False)
    with pytest.raises(reader.NoWarehouse):
        reader.fetch(["likes"], tmp_path)
    refusing = httpx.MockTransport(lambda request: httpx.Response(503))
    with pytest.raises(reader.NoWarehouse):
        reader.fetch(["likes"], tmp_path, url="http://nobody", transport=refusing)


async def test_a_table_that_is_none_and_a_time_that_is_none_are_refused(http: httpx.AsyncClient) -> None:
    for path in ("snapshot/secrets", "snapshot/likes?until=yesterday", "snapshot/likes?until=2026-03-01T00:00:00"):
        answer = await http.get(f"/api/warehouse/{path}")
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"
    backwards = {"since": "2026-03-02T00:00:00Z", "until": "2026-03-01T00:00:00Z"}
    assert (await http.get("/api/warehouse/figures", params=backwards)).status_code == 422


async def test_figures_of_the_groups(stage: Stage, http: httpx.AsyncClient) -> None:
    events = []
    for number in range(40):
        user = uuid4()
        one, other = shown(uuid4(), "default", minutes=number), shown(user, "ranker", minutes=number)
        events += [one, other, clicked(other, 1, number + 1), clicked(other, 1, number + 1)]
        events += [clicked(one, 2, number + 1)] if number % 4 == 0 else []
        events += [liked(0, user, number + 2)]
    await stage.store(*events, segment())
    span = {"since": BEGAN.isoformat(), "until": (BEGAN + timedelta(days=1)).isoformat()}
    told = (await http.get("/api/warehouse/figures", params=span)).json()
    default, ranker = told["groups"]
    assert (default["group"], default["users"], default["impressions"], default["clicks"]) == ("default", 40, 120, 10)
    assert (ranker["clicks"], ranker["likes"]) == (40, 40), "clicked twice counts once"
    assert default["ctr"]["low"] < 10 / 120 < default["ctr"]["high"]
    (difference,) = told["differences"]
    assert (difference["one"], difference["other"], difference["verdict"]) == ("default", "ranker", "higher")
    assert difference["ctr"]["rate"] == pytest.approx(1 / 3 - 10 / 120)
    assert told["likes"] == {"given": 40, "taken_back": 0, "users": 40}
    assert told["searches"][0] == {
        "mode": "text", "simulated": False, "searches": 80, "pages": 80, "pages_without_results": 0,
    }  # fmt: skip
    (predicted,) = told["predictions"]
    assert (predicted["model"], predicted["predictions"], predicted["p50_ms"]) == ("image_quick", 3, 1.5)


async def test_programs_that_play_users_are_told_apart(stage: Stage, http: httpx.AsyncClient) -> None:
    await stage.store(shown(uuid4(), "ranker"), shown(uuid4(), "ranker", simulated=True))
    span = {"since": BEGAN.isoformat(), "until": (BEGAN + timedelta(days=1)).isoformat()}
    told = (await http.get("/api/warehouse/figures", params=span)).json()
    assert [group["simulated"] for group in told["groups"]] == [False, True]
    assert told["differences"] == []


async def test_attributes_that_were_noticed_and_searches_that_name_one(stage: Stage, http: httpx.AsyncClient) -> None:
    plain, asking = shown(uuid4()), shown(uuid4(), attributes=["count", "brightness"])
    other = shown(uuid4(), attributes=["place"])
    judged = [screened(noticed=noticed) for noticed in (True, True, False, True)]
    await stage.store(plain, asking, other, clicked(plain), clicked(asking), clicked(asking, 2), *judged)
    span = {"since": BEGAN.isoformat(), "until": (BEGAN + timedelta(days=1)).isoformat()}
    told = (await http.get("/api/warehouse/figures", params=span)).json()["attributes"]
    assert (told["screened"], told["noticed"], told["share"]["rate"]) == (4, 3, 0.75)
    assert (told["searches"], told["impressions"], told["clicks"]) == (2, 6, 2)
    assert told["ctr"]["rate"] == pytest.approx(1 / 3)
    assert told["ctr"]["low"] < 1 / 3 < told["ctr"]["high"]


async def test_without_searches_for_attributes_nothing_is_known(stage: Stage, http: httpx.AsyncClient) -> None:
    await stage.store(shown(uuid4()))
    span = {"since": BEGAN.isoformat(), "until": (BEGAN + timedelta(days=1)).isoformat()}
    told = (await http.get("/api/warehouse/figures", params=span)).json()["attributes"]
    assert (told["screened"], told["searches"], told["clicks"]) == (0, 0, 0)
    assert (told["ctr"]["low"], told["ctr"]["high"]) == (0.0, 1.0)


async def test_demand_counts_whole_weeks(stage: Stage, http: httpx.AsyncClient) -> None:
    day = 24 * 60
    await stage.store(
        *[shown(minutes=minutes) for minutes in (0, 7 * day, 8 * day, 21 * day)],
        shown(uuid4(), minutes=9 * day, simulated=True),
    )
    until = BEGAN + timedelta(days=21)
    weeks = (await http.get("/api/warehouse/demand", params={"until": until.isoformat()})).json()["weeks"]
    searches = {entry["week"]: entry["count"] for entry in weeks if entry["series"] == "searches" and entry["count"]}
    assert searches == {"2026-03-09": 2}
    assert {entry["week"] for entry in weeks} == {"2026-03-09", "2026-03-16"}
    assert (await http.get("/api/warehouse/demand", params={"until": BEGAN.isoformat()})).json() == {"weeks": []}


async def test_the_tables_say_how_much_they_hold(stage: Stage, http: httpx.AsyncClient) -> None:
    await stage.store(liked(1), liked(2), shown())
    await stage.store(liked(3))
    told = {
        table["table"]: (table["rows"], table["files"]) for table in (await http.get("/api/warehouse/tables")).json()
    }
    assert told == {"item_liked": (3, 2), "search_shown": (1, 1)}


async def test_a_file_written_in_slices_has_the_same_rows(
    stage: Stage, http: httpx.AsyncClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages of one moment are not torn apart, and none is in two slices."""
    await stage.store(*(shown(minutes=number // 3) for number in range(20)))
    before = stage.files()
    await fetched(http, ["impressions"], tmp_path / "whole", 5)
    monkeypatch.setattr(views, "SLICE_ROWS", 4)
    await fetched(http, ["impressions"], tmp_path / "sliced", 5)
    whole, sliced = (list(reader.rows(tmp_path / name / "impressions.parquet")) for name in ("whole", "sliced"))
    assert len(whole) == 15 * 3
    assert whole == sliced
    assert stage.files() == before
