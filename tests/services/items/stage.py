"""A stage for tests of items: the service on a real database, with hands for everybody who acts on an item."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx

from services.chassis.bus import MemoryBus, Message
from services.chassis.database import Database
from services.chassis.ids import new_id
from services.chassis.service import Service
from services.contracts import (
    CloudEvent,
    EventData,
    ItemIndexed,
    ItemRegistered,
    ItemScreened,
    Judgement,
    ModelUsed,
    PictureShown,
    Reason,
    Score,
    Verdict,
    dead_letter_topic,
)
from tests import tokens

PICTURE = "a" * 64
HIDDEN_PICTURE = "b" * 64
PICTURES_DOWN = "c" * 64


@dataclass
class Person:
    """A user with a token."""

    name: str
    roles: tuple[str, ...] = ()
    id: UUID = field(default_factory=new_id)

    @property
    def header(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {tokens.token(sub=self.id, name=self.name, roles=self.roles)}"}


@dataclass
class Stage:
    """Items, and what the others say to it."""

    service: Service
    http: httpx.AsyncClient
    database: Database
    bus: MemoryBus
    owner: Person = field(default_factory=lambda: Person("owner"))
    stranger: Person = field(default_factory=lambda: Person("stranger"))
    moderator: Person = field(default_factory=lambda: Person("moderator", ("user", "moderator")))

    async def post(self, by: Person | None = None, key: str | None = None, **body: Any) -> httpx.Response:
        """Register an item."""
        body = {"image_id": PICTURE, "title": "三毛猫", "description": "a calico cat"} | body
        headers = (by or self.owner).header | ({"Idempotency-Key": key} if key else {})
        headers |= {"Content-Type": "application/json"}
        return await self.http.post("/api/items", content=json.dumps(body), headers=headers)

    async def registered(self, by: Person | None = None, **body: Any) -> dict[str, Any]:
        """An item that waits to be judged."""
        response = await self.post(by, **body)
        assert response.status_code == 201, response.text
        return dict(response.json())

    async def get(self, item: dict[str, Any], by: Person | None = None, status: int = 200) -> dict[str, Any]:
        """The item as somebody sees it, the owner unless said."""
        response = await self.http.get(f"/api/items/{item['id']}", headers=(by or self.owner).header)
        assert response.status_code == status, response.text
        return dict(response.json())

    async def sent(self, topic: str) -> list[CloudEvent]:
        """Everything the relay has sent on a topic."""
        await self.service.relay().send_due()
        return self.bus.events(topic)

    async def judge(
        self, item: dict[str, Any], verdict: Verdict = "publish", *, cause: CloudEvent | None = None, **changes: Any
    ) -> CloudEvent:
        """The models answer what was asked last about the item."""
        asked = cause or next(e for e in reversed(await self.sent("item.registered")) if e.key == item["id"])
        data = screening(ItemRegistered.model_validate(asked.data), verdict).model_copy(update=changes)
        return await self.hear(data, cause=asked)

    async def index(self, item: dict[str, Any], searchable: bool = True, topic: str = "item.published") -> CloudEvent:
        """Search answers the last event of that topic."""
        told = next(e for e in reversed(await self.sent(topic)) if e.key == item["id"])
        numbers = {name: told.data[name] for name in ("item_id", "revision", "sequence")}
        return await self.hear(ItemIndexed(searchable=searchable, indexed_at=datetime.now(UTC), **numbers), cause=told)

    async def show(self, item: dict[str, Any], topic: str = "item.published") -> CloudEvent:
        """Images answers the last event of that topic."""
        told = next(e for e in reversed(await self.sent(topic)) if e.key == item["id"])
        numbers = {name: told.data[name] for name in ("item_id", "revision", "sequence")}
        return await self.hear(PictureShown(visible=topic == "item.published", **numbers), cause=told)

    async def published(self, **body: Any) -> dict[str, Any]:
        """An item everybody sees and finds."""
        item = await self.registered(**body)
        await self.judge(item)
        await self.index(item)
        await self.show(item)
        return await self.get(item)

    async def hear(self, data: EventData, *, cause: CloudEvent | None = None) -> CloudEvent:
        """The service gets an event from the broker."""
        event = CloudEvent.of(data, source="/test", cause=cause)
        await self.hear_again(event)
        return event

    async def hear_again(self, event: CloudEvent, topic: str | None = None) -> None:
        """The service gets this very event."""
        worker = self.service.worker()
        assert worker
        await worker.handle([Message(topic or event.type, event.key, event.model_dump_json().encode())])

    async def bury(self, event: CloudEvent, reason: str = "it broke") -> None:
        """A consumer has given the event up."""
        dead = event.model_copy(update={"data": event.data | {"dead_letter_reason": reason}})
        await self.hear_again(dead, dead_letter_topic(event.type))

    async def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """What is in the database."""
        async with self.database.connection() as connection:
            return await (await connection.execute(query, values)).fetchall()

    async def run(self, statement: str, *values: Any) -> None:
        """Change what is in the database."""
        async with self.database.connection() as connection:
            await connection.execute(statement, values)


def screening(asked: ItemRegistered, verdict: Verdict = "publish") -> ItemScreened:
    """What the models say."""
    found = [Reason(kind="picture", label="weapon", score=0.9, by="image_screening")] if verdict != "publish" else []
    used = ModelUsed(version="1", served_by="model", prediction_id=new_id())
    return ItemScreened(
        item_id=asked.item_id,
        revision=asked.revision,
        sequence=asked.sequence,
        verdict=verdict,
        reasons=found,
        category=Judgement(label="cat", score=0.9, margin=0.8, top=[Score(label="cat", score=0.9)]),
        violation=Judgement(label="ok", score=0.01),
        text_violation=Judgement(label="ok", score=0.02),
        tags=["cat", "animal"],
        embedding=[0.0] * 127 + [1.0],
        embedding_version="1",
        models={"image_screening": used},
        screened_at=datetime.now(UTC),
    )


def pictures(request: httpx.Request) -> httpx.Response:
    """The images service: one picture everybody sees, one nobody does, one that cannot be asked for."""
    if PICTURES_DOWN in request.url.path:
        raise httpx.ConnectError("down", request=request)
    assert request.headers["authorization"].startswith("Bearer ")
    return httpx.Response(200 if request.url.path == f"/api/images/{PICTURE}" else 404, json={})
