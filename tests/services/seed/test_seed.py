"""The seed registers what is missing once, waits, counts, and is patient."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.seed import main
from services.seed.api import Api, GaveUp
from services.seed.entries import Account, Entry, read_entries, read_owners
from services.seed.planting import Planting

OWNERS = [Account("hana", "p1"), Account("sora", "p2")]


class Platform:
    """As much of the public API as the seed uses, in memory."""

    def __init__(self) -> None:
        self.items: dict[tuple[str, str], dict[str, Any]] = {}
        self.uploads = 0
        self.likes: set[tuple[str, str]] = set()
        self.weather: list[int] = []
        self.lost = 0

    def answer(self, request: httpx.Request) -> httpx.Response:
        if self.weather:
            return httpx.Response(self.weather.pop(), json={})
        if self.lost:
            self.lost -= 1
            raise httpx.ReadError("gone", request=request)
        who = request.headers.get("authorization", "").removeprefix("Bearer ")
        handler = getattr(self, f"{request.method.lower()}_{request.url.path.split('/')[2]}")
        answer: httpx.Response = handler(request, who)
        return answer

    def post_identity(self, request: httpx.Request, who: str) -> httpx.Response:
        form = dict(pair.split("=") for pair in request.content.decode().split("&"))
        return httpx.Response(200, json={"access_token": form["username"]})

    def post_images(self, request: httpx.Request, who: str) -> httpx.Response:
        self.uploads += 1
        _, content, _ = re.split(rb"\r\n\r\n|\r\n--", request.content, maxsplit=2)
        return httpx.Response(201, json={"id": hashlib.sha256(content).hexdigest()})

    def post_items(self, request: httpx.Request, who: str) -> httpx.Response:
        body, key = json.loads(request.content), (who, request.headers["idempotency-key"])
        if body["title"] == "refused":
            return httpx.Response(422, json={"title": "no"})
        new = key not in self.items
        bad = "buy" in body["title"]
        state = "rejected" if bad else "published"
        made = body | {"id": f"id-{len(self.items)}", "owner_name": who, "state": "screening", "then": state}
        return httpx.Response(201 if new else 200, json=self.items.setdefault(key, made))

    def get_items(self, request: httpx.Request, who: str) -> httpx.Response:
        state = request.url.params.get("state")
        mine = [item for (owner, _), item in self.items.items() if owner == who]
        shown = [dict(item) for item in mine if state in (None, item["state"])]
        for item in mine:
            item["state"] = item["then"]
        start = int(request.url.params.get("cursor", 0))
        after = str(start + 2) if len(shown) > start + 2 else None
        return httpx.Response(200, json={"items": shown[start : start + 2], "next": after})

    def put_items(self, request: httpx.Request, who: str) -> httpx.Response:
        self.likes.add((who, request.url.path))
        return httpx.Response(200, json={})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    lines = []
    for number in range(6):
        (tmp_path / f"{number}.jpg").write_bytes(bytes([number]) * 300)
        title = "buy now" if number == 5 else "same words" if number in (0, 2) else f"item {number}"
        lines.append({"picture": f"{number}.jpg", "title": title, "owner": 1 + number % 2, "language": "en"})
        lines[-1]["expected"] = "rejected" if number == 5 else "published"
    (tmp_path / "items.jsonl").write_text("\n".join(map(json.dumps, lines)))
    return tmp_path


async def plant(platform: Platform, folder: Path, *, patience: float = 60.0) -> tuple[int, list[str]]:
    said: list[str] = []
    transport = httpx.MockTransport(platform.answer)
    async with httpx.AsyncClient(transport=transport, base_url="http://platform") as http:
        planting = Planting(Api(http, patience=patience), folder, OWNERS, said.append)
        return await main.planted(planting, read_entries(folder)), said


async def test_everything_is_registered_and_counted(folder: Path) -> None:
    platform = Platform()
    code, said = await plant(platform, folder)
    assert code == 0
    assert len(platform.items) == 6
    assert "items published=5 rejected=1" in said
    assert "expected rejected: rejected=1" in said
    assert "progress what=register done=6 total=6" in said
    assert platform.likes


async def test_nobody_likes_an_item_of_their_own(folder: Path) -> None:
    platform = Platform()
    await plant(platform, folder)
    owners = {f"/api/items/{item['id']}/like": owner for (owner, _), item in platform.items.items()}
    assert all(owners[path] != name for name, path in platform.likes)


async def test_a_second_run_uploads_nothing(folder: Path) -> None:
    platform = Platform()
    await plant(platform, folder)
    uploads = platform.uploads
    code, said = await plant(platform, folder)
    assert (code, platform.uploads, len(platform.items)) == (0, uploads, 6)
    assert said == ["all 6 items are there already"]


async def test_a_run_that_was_cut_off_is_completed_without_doubles(folder: Path) -> None:
    platform = Platform()
    await plant(platform, folder)
    key = next(key for key, item in platform.items.items() if item["title"] == "same words")
    del platform.items[key]
    await plant(platform, folder)
    assert len(platform.items) == 6


async def test_busy_and_lost_connections_are_waited_out(folder: Path) -> None:
    platform = Platform()
    platform.weather = [503, 429]
    platform.lost = 1
    code, _ = await plant(platform, folder)
    assert (code, len(platform.items)) == (0, 6)


async def test_a_platform_that_stays_away_is_given_up(folder: Path) -> None:
    platform = Platform()
    platform.lost = 1000
    with pytest.raises(GaveUp, match="gone"):
        await plant(platform, folder, patience=0)


async def test_what_is_refused_is_named_and_the_rest_goes_in(folder: Path) -> None:
    with (folder / "items.jsonl").open("a") as file:
        file.write('\n{"picture": "0.jpg", "title": "refused"}\n{"picture": "none.jpg", "title": "no file"}\n')
    platform = Platform()
    code, said = await plant(platform, folder)
    assert (code, len(platform.items)) == (1, 6)
    assert any("0.jpg" in line and "422" in line for line in said)
    assert any("none.jpg" in line for line in said)


def test_keys_differ_by_entry_and_stay_the_same() -> None:
    entry = Entry(picture="a.jpg", title="a")
    assert entry.key == Entry(picture="a.jpg", title="a").key
    others = [
        Entry(picture="b.jpg", title="a"),
        Entry(picture="a.jpg", title="b"),
        entry.model_copy(update={"owner": 2}),
    ]
    assert len({entry.key, *(other.key for other in others)}) == 4


def test_owners_are_those_without_a_special_role(tmp_path: Path) -> None:
    file = tmp_path / "accounts.json"
    file.write_text(
        json.dumps(
            [
                {"name": "tama", "password": "x", "roles": ["user", "moderator"]},
                {"name": "hana", "password": "p1", "roles": ["user"]},
            ]
        )
    )
    assert read_owners(file) == [Account("hana", "p1")]


def test_without_a_folder_it_says_so_and_ends_well(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SEED_ITEMS", str(tmp_path / "nowhere"))
    assert main.run([]) == 0
    assert "nothing to do" in capsys.readouterr().out
