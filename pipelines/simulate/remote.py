"""A running platform as made-up people use it: its public API and nothing else, patient with what is busy."""

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

import httpx

from pipelines.simulate.acting import Answer
from pipelines.simulate.world import Person, Shown, Wish

PATIENCE_SECONDS = 120.0
PAUSE_SECONDS = 0.25
BUSY = (429, 500, 502, 503, 504)


class Unexpected(Exception):
    """The platform refused something that should be fine, or was busy for too long."""


class Api:
    """Asks, and asks again while the platform is busy or gone for a moment."""

    def __init__(self, http: httpx.AsyncClient, patience: float = PATIENCE_SECONDS) -> None:
        self._http, self._patience = http, patience

    async def ask(self, method: str, path: str, token: str | None = None, **request: Any) -> httpx.Response:
        """The answer; raises Unexpected."""
        sent = request.pop("headers", {}) | ({"authorization": f"Bearer {token}"} if token else {})
        deadline = asyncio.get_running_loop().time() + self._patience
        while True:
            try:
                answer = await self._http.request(method, path, headers=sent, **request)
                if answer.is_success:
                    return answer
                trouble = f"{answer.status_code} {answer.text[:300]}"
                if answer.status_code not in BUSY:
                    raise Unexpected(f"{method} {path}: {trouble}")
            except httpx.TransportError as error:
                trouble = repr(error)
            if asyncio.get_running_loop().time() > deadline:
                raise Unexpected(f"{method} {path}: {trouble}")
            await asyncio.sleep(PAUSE_SECONDS)

    async def sign_up(self, name: str, password: str) -> None:
        """An account of a program that plays a user: whatever it causes is marked as such."""
        await self.ask("POST", "/api/identity/users", json={"name": name, "password": password, "simulated": True})

    async def sign_in(self, name: str, password: str) -> str:
        """A token."""
        form = {"grant_type": "password", "username": name, "password": password}
        return str((await self.ask("POST", "/api/identity/token", data=form)).json()["access_token"])


@dataclass
class RemotePlatform:
    """People's hands; each has an account of their own, made for this run."""

    api: Api
    passwords: dict[int, tuple[str, str]] = field(default_factory=dict)
    tokens: dict[int, str] = field(default_factory=dict)
    shown: int = 0
    """So many results have been shown."""

    async def enter(self, people: Sequence[Person], at_once: int) -> None:
        """Sign everybody up, and in."""
        turn, run = asyncio.Semaphore(at_once), secrets.token_hex(3)

        async def one(person: Person) -> None:
            async with turn:
                name, password = f"{person.name}-{run}", secrets.token_urlsafe(16)
                await self.api.sign_up(name, password)
                self.passwords[person.number] = (name, password)
                self.tokens[person.number] = await self.api.sign_in(name, password)

        await asyncio.gather(*(one(person) for person in people))

    async def register(self, person: Person, picture: bytes, title: str, description: str) -> dict[str, Any]:
        """Register an item, and wait until it is judged."""
        token = self.tokens[person.number]
        image = await self.api.ask("POST", "/api/images", token, files={"file": ("picture.jpg", picture)})
        body = {"image_id": image.json()["id"], "title": title, "description": description}
        headers = {"idempotency-key": str(uuid4())}
        item = (await self.api.ask("POST", "/api/items", token, json=body, headers=headers)).json()
        while item["state"] == "screening" or (item["state"] == "published" and not item["searchable_at"]):
            await asyncio.sleep(PAUSE_SECONDS)
            item = (await self.api.ask("GET", f"/api/items/{item['id']}", token)).json()
        return dict(item)

    async def search(self, wish: Wish, limit: int) -> Answer:
        """A page of results."""
        asked = {"q": wish.query, "category": wish.category, "limit": limit}
        return await self._page(wish.person, "/api/search", asked)

    async def for_you(self, person: Person, limit: int) -> Answer:
        """What is shown without a question."""
        return await self._page(person, "/api/search/for-you", {"limit": limit})

    async def click(self, person: Person, answer: Answer, position: int) -> None:
        """Open a result."""
        await self._acted(person, answer, position, {"action": "click"})

    async def long_view(self, person: Person, answer: Answer, position: int, seconds: float) -> None:
        """Stay there."""
        await self._acted(person, answer, position, {"action": "long_view", "seconds": round(seconds, 1)})

    async def like(self, person: Person, item_id: str) -> None:
        """Like it."""
        await self.api.ask("PUT", f"/api/items/{item_id}/like", self.tokens[person.number])

    async def _page(self, person: Person, path: str, asked: dict[str, Any]) -> Answer:
        page = (await self.api.ask("GET", path, self.tokens[person.number], params=asked)).json()
        self.shown += len(page["results"])
        results = [seen(document) for document in page["results"]]
        return Answer(page["search_id"], results, page["ranker"], group=page["group"])

    async def _acted(self, person: Person, answer: Answer, position: int, act: dict[str, Any]) -> None:
        place = {"search_id": answer.search_id, "position": position, "item_id": answer.results[position - 1].item_id}
        await self.api.ask("POST", "/api/search/events", self.tokens[person.number], json=act | place)


def seen(document: dict[str, Any]) -> Shown:
    """A result, as everybody sees it."""
    return Shown(
        item_id=document["item_id"],
        title=document["title"],
        category=document["category"],
        likes=document["likes"],
        fit=document["score"],
        published=datetime.fromisoformat(document["published_at"]).timestamp(),
    )
