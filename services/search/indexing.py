"""Takes changes of items into the index. Events may come twice, late and out of order: the sequence decides."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Final

from pgvector import Vector

from models.labels import CATEGORIES
from services.chassis import outbox
from services.chassis.database import Connection, Database
from services.contracts import CloudEvent, ItemEvent, ItemIndexed, ItemLiked, ItemPublished, ItemRemoved
from services.search.attributes import shown
from services.search.lexemes import plain, vector
from services.search.words import Filed, Words

CATEGORY_WORDS: Final = {label.name: f"{label.ja} {label.en}" for label in CATEGORIES}
TEXTS_OF_A_DOCUMENT: Final = 3

PUBLISH = """
INSERT INTO documents AS known (
    item_id, revision, sequence, likes_sequence, searchable, published_at, owner_id, owner_name, image_id, title,
    description, category, tags, likes, plain, terms, vocabulary, embedding, embedding_version, shows
) VALUES (
    %(item_id)s, %(revision)s, %(sequence)s, %(sequence)s, true, %(published_at)s, %(owner_id)s, %(owner_name)s,
    %(image_id)s, %(title)s, %(description)s, %(category)s, %(tags)s, %(likes)s, %(plain)s, %(terms)s::tsvector,
    %(vocabulary)s, %(embedding)s, %(embedding_version)s, %(shows)s::tsvector
) ON CONFLICT (item_id) DO UPDATE SET
    revision = excluded.revision, sequence = excluded.sequence, searchable = true, indexed_at = now(),
    published_at = excluded.published_at, owner_id = excluded.owner_id, owner_name = excluded.owner_name,
    image_id = excluded.image_id, title = excluded.title, description = excluded.description,
    category = excluded.category, tags = excluded.tags, plain = excluded.plain, terms = excluded.terms,
    vocabulary = excluded.vocabulary, embedding = excluded.embedding, embedding_version = excluded.embedding_version,
    shows = excluded.shows,
    likes = CASE WHEN known.likes_sequence > excluded.sequence THEN known.likes ELSE excluded.likes END,
    likes_sequence = greatest(known.likes_sequence, excluded.sequence)
WHERE known.sequence < excluded.sequence
"""

REMOVE = """
INSERT INTO documents AS known (item_id, revision, sequence, likes_sequence, searchable)
VALUES (%(item_id)s, %(revision)s, %(sequence)s, 0, false)
ON CONFLICT (item_id) DO UPDATE SET
    revision = excluded.revision, sequence = excluded.sequence, searchable = false, indexed_at = now(),
    owner_name = '', image_id = '', title = '', description = '', category = NULL, tags = '{}', plain = '',
    terms = '', vocabulary = '', embedding = NULL, embedding_version = '', shows = ''
WHERE known.sequence < excluded.sequence
"""

LIKE = """
INSERT INTO documents AS known (item_id, revision, sequence, likes_sequence, searchable, likes)
VALUES (%(item_id)s, %(revision)s, 0, %(sequence)s, false, %(likes)s)
ON CONFLICT (item_id) DO UPDATE SET likes = excluded.likes, likes_sequence = excluded.likes_sequence
WHERE known.likes_sequence < excluded.likes_sequence
"""


async def published(
    database: Database, words: Words, several: Sequence[tuple[ItemPublished, CloudEvent]]
) -> list[None]:
    """The items can be found from now on."""
    filed = await asyncio.gather(
        *(words.filed_one(texts(data.title, data.description, data.category, data.tags)) for data, _ in several)
    )
    values = [data.model_dump() | derived(data, one) for (data, _), one in zip(several, filed, strict=True)]
    await _taken_in(database, PUBLISH, values, several)
    return [None] * len(several)


def derived(data: ItemPublished, filed: Filed) -> dict[str, Any]:
    """What the table has besides the item's own words: all that it is found by."""
    return {
        "plain": _plain(data.title, data.category, data.tags),
        "terms": _vector(filed.terms),
        "vocabulary": filed.vocabulary,
        "embedding": Vector(data.embedding) if data.embedding else None,
        "shows": shown(data.attributes),
    }


async def removed(database: Database, data: ItemRemoved, event: CloudEvent) -> None:
    """The item cannot be found any more; what it said is forgotten."""
    await _taken_in(database, REMOVE, [data.model_dump()], [(data, event)])


async def liked(database: Database, data: ItemLiked, event: CloudEvent) -> None:
    """The count of likes; it may come before the item does."""
    await _taken_in(database, LIKE, [data.model_dump()], [(data, event)])


async def refile(database: Database, words: Words, at_once: int = 16) -> int:
    """File some documents anew that were filed by other rules than today's; returns how many."""
    current = (await words.filed([""])).vocabulary
    async with database.connection() as connection:
        found = await connection.execute(
            """
            SELECT item_id, sequence, title, description, category, tags FROM visible
            WHERE vocabulary < %(current)s OR vocabulary > %(current)s LIMIT %(most)s
            """,
            {"current": current, "most": at_once},
        )
        rows = await found.fetchall()
    if rows:
        await _refile(database, rows, await _filed_together(words, rows))
    return len(rows)


async def _taken_in(
    database: Database,
    statement: str,
    values: Sequence[dict[str, Any]],
    several: Sequence[tuple[ItemEvent, CloudEvent]],
) -> None:
    """Apply the changes that are news, and tell that they are in either way: their sender waits for that."""
    in_order = sorted(values, key=lambda one: one["item_id"])  # so that nobody waits in a circle
    async with database.connection() as connection, connection.transaction():
        async with connection.cursor() as cursor:
            await cursor.executemany(statement, in_order)
        await outbox.add_all(connection, await _indexed(connection, several))


async def _indexed(connection: Connection, several: Sequence[tuple[ItemEvent, CloudEvent]]) -> list[CloudEvent]:
    found = await connection.execute(
        "SELECT item_id, revision, searchable, indexed_at FROM documents WHERE item_id = ANY(%s)",
        ([data.item_id for data, _ in several],),
    )
    rows = {row["item_id"]: row for row in await found.fetchall()}
    return [_effect(data, cause, rows[data.item_id]) for data, cause in several]


def _effect(data: ItemEvent, cause: CloudEvent, row: Mapping[str, Any]) -> CloudEvent:
    effect = ItemIndexed(
        item_id=data.item_id,
        revision=data.revision,
        sequence=data.sequence,
        searchable=row["searchable"] and row["revision"] == data.revision,
        indexed_at=row["indexed_at"],
    )
    return CloudEvent.of(effect, source="/search", cause=cause)


async def _filed_together(words: Words, rows: Sequence[dict[str, Any]]) -> Filed:
    several = [texts(row["title"], row["description"], row["category"], row["tags"]) for row in rows]
    return await words.filed([text for of_one in several for text in of_one])


async def _refile(database: Database, rows: Sequence[dict[str, Any]], filed: Filed) -> None:
    step = TEXTS_OF_A_DOCUMENT
    values = [
        (_vector(filed.terms[step * i : step * (i + 1)]), filed.vocabulary, row["item_id"], row["sequence"])
        for i, row in enumerate(rows)
    ]
    async with database.connection() as connection, connection.cursor() as cursor:
        await cursor.executemany(
            "UPDATE documents SET terms = %s::tsvector, vocabulary = %s WHERE item_id = %s AND sequence = %s", values
        )


def texts(title: str, description: str, category: str | None, tags: Sequence[str]) -> list[str]:
    """The texts that a document is filed by."""
    return [title, " ".join([CATEGORY_WORDS.get(category or "", category or ""), *tags]), description]


def _vector(terms: Sequence[Sequence[str]]) -> str:
    title, said, description = terms
    return vector([("A", title), ("B", said), ("D", description)])


def _plain(title: str, category: str | None, tags: Sequence[str]) -> str:
    return plain(" ".join([title, *tags, CATEGORY_WORDS.get(category or "", category or "")]))


def keep_filed(database: Database, words: Words) -> Callable[[], Coroutine[Any, Any, None]]:
    """A turn that goes on until every document is filed by today's rules."""

    async def refile_all() -> None:
        refiled = 1
        while refiled:
            refiled = await refile(database, words)

    return refile_all
