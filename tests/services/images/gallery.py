"""The images service with hands, and pictures of every kind to give it."""

import io
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import numpy as np
from PIL import Image

from services.chassis.bus import Message
from services.chassis.database import Database
from services.chassis.files import FileStore
from services.chassis.ids import new_id
from services.chassis.service import Service
from services.contracts import CloudEvent, ItemPublished, ItemRemoved
from tests import tokens


@dataclass
class Gallery:
    """Images, and what people and other services do with it."""

    service: Service
    http: httpx.AsyncClient
    database: Database
    files: FileStore
    owner: UUID = field(default_factory=new_id)
    item: UUID = field(default_factory=new_id)

    async def post(self, raw: bytes, by: UUID | None = None, name: str = "file", **declared: str) -> httpx.Response:
        """Upload a file."""
        part = (declared.get("filename", "photo.jpg"), raw, declared.get("type", "image/jpeg"))
        return await self.http.post("/api/images", files={name: part}, headers=header(by or self.owner))

    async def uploaded(self, raw: bytes, by: UUID | None = None) -> dict[str, Any]:
        """A stored picture."""
        response = await self.post(raw, by)
        assert response.status_code == 201, response.text
        return dict(response.json())

    async def get(
        self, path: str, by: UUID | None = None, roles: tuple[str, ...] = (), if_none_match: str | None = None
    ) -> httpx.Response:
        """What somebody, or nobody, gets."""
        headers = {"If-None-Match": if_none_match} if if_none_match else {}
        return await self.http.get(path, headers=headers | (header(by, roles) if by else {}))

    async def publish(self, image_id: str, sequence: int) -> CloudEvent:
        """An item that shows the picture is published."""
        now = datetime.now(UTC)
        return await self.hear(
            ItemPublished(
                item_id=self.item, revision=1, sequence=sequence, owner_id=self.owner, owner_name="owner",
                image_id=image_id, title="t", description="", category=None, tags=[], embedding=[],
                embedding_version="", likes=0, registered_at=now, published_at=now,
            )
        )  # fmt: skip

    async def remove(self, image_id: str, sequence: int) -> CloudEvent:
        """That item is withdrawn."""
        return await self.hear(
            ItemRemoved(item_id=self.item, revision=1, sequence=sequence, image_id=image_id, why="withdrawn")
        )

    async def hear(self, data: ItemPublished | ItemRemoved) -> CloudEvent:
        """The service gets an event from the broker."""
        event = CloudEvent.of(data, source="/test")
        await self.hear_again(event)
        return event

    async def hear_again(self, event: CloudEvent) -> None:
        """The service gets this very event."""
        worker = self.service.worker()
        assert worker
        await worker.handle([Message(event.type, event.key, event.model_dump_json().encode())])

    async def count(self) -> int:
        """How many pictures there are."""
        async with self.database.connection() as connection:
            row = await (await connection.execute("SELECT count(*) AS n FROM pictures")).fetchone()
        assert row
        return int(row["n"])


def header(user: UUID, roles: tuple[str, ...] = ()) -> dict[str, str]:
    """The token of a user."""
    return {"Authorization": f"Bearer {tokens.token(sub=user, roles=roles)}"}


def photo(width: int = 64, height: int = 48, *, seed: int = 1, kind: str = "JPEG", **options: Any) -> bytes:
    """A file with a picture in it that compresses badly."""
    pixels = np.random.default_rng(seed).integers(0, 255, (height, width, 3), np.uint8)
    return encoded(Image.fromarray(pixels), kind, **options)


def encoded(picture: Image.Image, kind: str, **options: Any) -> bytes:
    """The file of a picture."""
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()
