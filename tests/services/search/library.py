"""A stage for tests of search: the real database, the real words, and hands to publish and remove items."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx

from services.chassis.bus import MemoryBus, Message
from services.chassis.database import Database
from services.chassis.ids import new_id
from services.chassis.service import Service
from services.contracts import CloudEvent, EventData, ItemIndexed, ItemLiked, ItemPublished, ItemRemoved

START = datetime(2026, 1, 1, tzinfo=UTC)


def direction(*weights: float) -> list[float]:
    """An embedding of length 1 with these first numbers."""
    numbers = [*weights, *([0.0] * (128 - len(weights)))]
    length = sum(number * number for number in numbers) ** 0.5
    return [number / length for number in numbers]


@dataclass
class Neighbours:
    """The services that search asks: texts for real, a model that is told what to answer."""

    texts: httpx.AsyncBaseTransport
    embedding: list[float] = field(default_factory=lambda: direction(1))
    served_by: str = "model"
    slow: bool = False
    away: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    models: dict[str, Callable[[dict[str, Any]], dict[str, Any] | list[dict[str, Any]]]] = field(default_factory=dict)
    """By name: from the tensors of a request to the output, or as many outputs as there are."""

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.path)
        if request.url.host in self.away:
            raise httpx.ConnectError("away", request=request)
        if request.url.host == "texts":
            return await self.texts.handle_async_request(request)
        if self.slow:
            raise httpx.ReadTimeout("slow", request=request)
        model = request.url.path.split("/")[3]
        if model in self.models:
            given = {tensor["name"]: tensor for tensor in json.loads(request.content)["inputs"]}
            said = self.models[model](given)
            outputs = said if isinstance(said, list) else [said]
            told = {"model_version": "7", "outputs": outputs, "parameters": {"served_by": self.served_by}}
            return httpx.Response(200, json=told)
        output = {"name": "embedding", "datatype": "FP32", "shape": [1, 128], "data": self.embedding}
        answer = {"model_version": "1", "outputs": [output], "parameters": {"served_by": self.served_by}}
        return httpx.Response(200, json=answer)


@dataclass
class Library:
    """Search, and what the others say to it."""

    service: Service
    http: httpx.AsyncClient
    database: Database
    bus: MemoryBus
    neighbours: Neighbours
    published: int = 0

    async def publish(self, title: str, **changes: Any) -> UUID:
        """An item is published; returns its id."""
        data = self.item(title, **changes)
        await self.hear(data)
        return data.item_id

    def item(self, title: str, **changes: Any) -> ItemPublished:
        """A published item, each a minute after the one before."""
        self.published += 1
        at = START + timedelta(minutes=self.published)
        values: dict[str, Any] = {
            "item_id": new_id(),
            "revision": 1,
            "sequence": 2,
            "owner_id": new_id(),
            "owner_name": "owner",
            "image_id": "a" * 64,
            "title": title,
            "description": "",
            "category": None,
            "tags": [],
            "embedding": [],
            "embedding_version": "",
            "likes": 0,
            "registered_at": at,
            "published_at": at,
        }
        return ItemPublished(**(values | changes))

    async def remove(self, item_id: UUID, sequence: int = 3) -> CloudEvent:
        """An item is withdrawn."""
        return await self.hear(
            ItemRemoved(item_id=item_id, revision=1, sequence=sequence, image_id="a" * 64, why="withdrawn")
        )

    async def like(self, item_id: UUID, likes: int, sequence: int) -> CloudEvent:
        """Somebody likes an item."""
        return await self.hear(
            ItemLiked(item_id=item_id, revision=1, sequence=sequence, user_id=new_id(), liked=True, likes=likes)
        )

    async def hear(self, data: EventData) -> CloudEvent:
        """Search gets an event from the broker."""
        event = CloudEvent.of(data, source="/test")
        await self.hear_again(event)
        return event

    async def hear_again(self, event: CloudEvent) -> None:
        """Search gets this very event."""
        worker = self.service.worker()
        assert worker
        await worker.handle([Message(event.type, event.key, event.model_dump_json().encode())])

    async def effects(self, cause: CloudEvent) -> list[ItemIndexed]:
        """What search has answered to an event."""
        await self.service.relay().send_due()
        events = self.bus.events("item.indexed")
        return [ItemIndexed.model_validate(event.data) for event in events if event.causationid == cause.id]

    async def search(self, q: str = "", **parameters: Any) -> dict[str, Any]:
        """A page of results."""
        answer = await self.http.get("/api/search", params={"q": q} | parameters)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def titles(self, q: str = "", **parameters: Any) -> list[str]:
        """Titles of a page of results, in order."""
        return [document["title"] for document in (await self.search(q, **parameters))["results"]]
