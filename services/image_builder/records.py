"""The rows of what was built. A registry cannot refuse to move a tag; a unique key can."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Literal
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb
from pydantic import BaseModel, Field

from services.chassis.database import Connection, Database
from services.chassis.errors import Conflict
from services.chassis.ids import new_id

Kind = Literal["image", "artefact"]
COLUMNS = "id, kind, name, version, tag, digest, reference, manifest_sha256, base, size, layers, asked_by, built_at"


class TagTaken(Conflict):
    """The tag names something else already, and a tag is never moved."""


class StoredLayer(BaseModel):
    """One layer as the manifest has it."""

    name: str
    digest: str
    size: int = Field(description="Bytes, as they travel.")


class Stored(BaseModel):
    """An image, or a model alone, under its tag."""

    id: UUID = Field(default_factory=new_id)
    kind: Kind
    name: str
    version: str = Field(description="Of the model, as it is registered.")
    tag: str
    digest: str
    reference: str
    manifest_sha256: str
    base: str | None = Field(None, description="The base that an image stands on.")
    size: int = Field(description="Bytes of all layers.")
    layers: list[StoredLayer]
    asked_by: str | None = None
    built_at: datetime | None = None


@asynccontextmanager
async def alone(database: Database, name: str, tag: str) -> AsyncIterator[Connection]:
    """Nobody else builds this tag meanwhile, in whatever process."""
    key = f"image-builder/{name}:{tag}"
    async with database.connection() as connection:
        await connection.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", (key,))
        try:
            yield connection
        finally:
            await connection.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", (key,))


async def find(connection: Connection, kind: Kind, name: str, tag: str) -> Stored | None:
    """What the tag names."""
    question = f"SELECT {COLUMNS} FROM images WHERE kind = %s AND name = %s AND tag = %s"  # noqa: S608
    row = await (await connection.execute(question.encode(), (kind, name, tag))).fetchone()
    return Stored.model_validate(row) if row else None


async def keep(connection: Connection, stored: Stored) -> None:
    """A new row; raises TagTaken where somebody was faster with something else."""
    values = stored.model_dump(exclude={"built_at", "layers"})
    values["layers"] = Jsonb([layer.model_dump() for layer in stored.layers])
    names = ", ".join(values)
    marks = ", ".join(f"%({name})s" for name in values)
    try:
        await connection.execute(f"INSERT INTO images ({names}) VALUES ({marks})".encode(), values)  # noqa: S608
    except psycopg.errors.UniqueViolation as error:
        raise TagTaken(f"{stored.name}:{stored.tag} was written by somebody else just now") from error


async def newest(database: Database, name: str | None, limit: int) -> Sequence[Stored]:
    """The last that were built."""
    question = f"SELECT {COLUMNS} FROM images WHERE %(name)s::text IS NULL OR name = %(name)s"  # noqa: S608
    async with database.connection() as connection:
        found = await connection.execute(
            f"{question} ORDER BY id DESC LIMIT %(limit)s".encode(), {"name": name, "limit": limit}
        )
        return [Stored.model_validate(row) for row in await found.fetchall()]
