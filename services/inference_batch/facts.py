"""What is known of items, and since when: the point-in-time view that every job reads.

Events arrive late, twice and out of order. A fact therefore has two times: when it happened, and
when it was known here. A run for a window sees what was known when the window ended, and nothing
else, however late it runs.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb
from pydantic import BaseModel

from services.chassis.database import Connection, Database
from services.contracts import CloudEvent, ItemEvent

Fact = tuple[ItemEvent, CloudEvent]


async def remember(database: Database, facts: Sequence[Fact]) -> list[None]:
    """Keep facts, many by one round trip; the same one a second time changes nothing."""
    values = [
        (event.id, data.item_id, event.type, data.revision, data.sequence, Jsonb(_kept(event.data)), event.time)
        for data, event in facts
    ]
    async with database.connection() as connection, connection.cursor() as cursor:
        await cursor.executemany(
            """
            INSERT INTO facts (event_id, item_id, kind, revision, sequence, body, occurred_at)
            VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
            """,
            values,
        )
    return [None] * len(facts)


def _kept(body: dict[str, Any]) -> dict[str, Any]:
    """Without the embedding: nobody here reads it, and it is most of the event."""
    return {name: value for name, value in body.items() if name != "embedding"}


class Known(BaseModel):
    """A published item, as it was known at a moment."""

    item_id: UUID
    revision: int
    sequence: int
    image_id: str
    title: str
    description: str
    category: str | None
    likes: int
    models: dict[str, str]
    """Model -> version that judged this revision last; `default` where a default did."""


PUBLISHED = """
WITH state AS (
    SELECT DISTINCT ON (item_id) item_id, kind, revision, sequence, body
    FROM facts
    WHERE kind IN ('item.published', 'item.removed') AND known_at < %(moment)s
      AND item_id > %(after)s
    ORDER BY item_id, sequence DESC, known_at DESC
), published AS (
    SELECT * FROM state WHERE kind = 'item.published' ORDER BY item_id
)
"""
JUDGED = """
SELECT published.item_id, published.revision, published.sequence, published.body,
       screened.body AS screening, likes.body AS liked,
       (SELECT result FROM rescored WHERE rescored.item_id = published.item_id
          AND rescored.revision = published.revision AND rescored.scored_at < %(moment)s
          ORDER BY scored_at DESC LIMIT 1) AS rescoring
FROM published
LEFT JOIN LATERAL (
    SELECT body FROM facts
    WHERE facts.item_id = published.item_id AND kind = 'item.screened' AND facts.revision = published.revision
      AND known_at < %(moment)s
    ORDER BY facts.sequence DESC, known_at DESC LIMIT 1
) screened ON true
LEFT JOIN LATERAL (
    SELECT body FROM facts
    WHERE facts.item_id = published.item_id AND kind = 'item.liked' AND known_at < %(moment)s
    ORDER BY facts.sequence DESC, known_at DESC LIMIT 1
) likes ON true
ORDER BY published.item_id LIMIT %(limit)s
"""
FIRST = UUID(int=0)


async def published(connection: Connection, moment: datetime, after: UUID = FIRST, limit: int = 1000) -> list[Known]:
    """The items that were published as far as was known at the moment, by id, behind `after`."""
    asked = {"moment": moment, "after": after, "limit": limit}
    rows = await (await connection.execute(PUBLISHED + JUDGED, asked)).fetchall()
    return [_known(row) for row in rows]


async def count_published(connection: Connection, moment: datetime) -> int:
    """How many there are."""
    question = PUBLISHED + "SELECT count(*) AS n FROM published"  # noqa: S608
    row = await (await connection.execute(question, {"moment": moment, "after": FIRST})).fetchone()
    return int(row["n"]) if row else 0


def _known(row: dict[str, Any]) -> Known:
    body, screening, rescoring = row["body"], row["screening"] or {}, row["rescoring"] or {}
    models = {
        name: used["version"] for name, used in (rescoring.get("models") or screening.get("models") or {}).items()
    }
    return Known(
        item_id=row["item_id"],
        revision=row["revision"],
        sequence=row["sequence"],
        image_id=body["image_id"],
        title=body["title"],
        description=body["description"],
        category=body["category"],
        likes=(row["liked"] or body)["likes"],
        models=models,
    )
