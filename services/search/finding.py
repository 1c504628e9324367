"""Reads the index. Everything here reads the view `visible`, which holds published items alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from pgvector import Vector

from services.chassis.database import Connection, Database
from services.search import attributes
from services.search.attributes import Sought, Wanted
from services.search.cursors import MOST_RANKED, Newest
from services.search.documents import Document
from services.search.lexemes import WEIGHTS

COLUMNS: Final = """
    visible.item_id, image_id, title, description, category, tags, owner_id, owner_name, likes, visible.published_at
"""
IN_CATEGORY: Final = "AND category = %(category)s"
NEARLY_RANKED: Final = MOST_RANKED // 2
"""So many of those that have nearly all attributes asked for, or say so, are ranked too, however old they are."""

ALIKE: Final = 0.35
"""How much of a query's spelling must be found in a title, 0 to 1."""

SCANNED: Final = 20_000
"""Neighbours looked at before a filtered search for similar pictures gives up."""


@dataclass(frozen=True)
class Window:
    """Which part of what matches: of a category or of all, published until then, from an offset on.

    What a picture should show besides orders what matches, and leaves nothing out.
    """

    category: str | None
    until: datetime
    offset: int
    limit: int
    wanted: Wanted | None = None


class Finder:
    """All ways to find documents."""

    def __init__(self, database: Database, ef_search: int = 100) -> None:
        self._database, self._ef_search = database, ef_search

    async def newest(self, category: str | None, after: Newest | None, limit: int) -> list[Document]:
        """Newest first, of one category or of all."""
        older = "AND (published_at, item_id) < (%(published_at)s, %(after_id)s)" if after else ""
        return await self._rows(
            f"""
            SELECT {COLUMNS} FROM visible WHERE true {IN_CATEGORY if category else ""} {older}
            ORDER BY published_at DESC, item_id DESC LIMIT %(limit)s
            """,  # noqa: S608
            {
                "category": category,
                "limit": limit,
                "published_at": after.published_at if after else None,
                "after_id": after.item_id if after else None,
            },
        )

    async def matching(self, query: str, window: Window) -> list[Document]:
        """What a tsquery matches, best first; of a common word the newest are ranked, the others are left out."""
        return await self._ranked(
            "terms",
            "terms @@ %(query)s::tsquery",
            f"ts_rank('{WEIGHTS}', terms, %(query)s::tsquery)",
            {"query": query},
            window,
        )

    async def showing(self, window: Window) -> list[Document]:
        """Whatever has the attributes that the window wants, then what has some of them."""
        return await self._ranked("shows", "true", "1", {}, window)

    async def spelt_alike(self, plain: str, window: Window) -> list[Document]:
        """Titles, tags and categories that look like it."""
        return await self._ranked(
            "plain",
            "%(plain)s OPERATOR(public.<%%) plain",
            "public.word_similarity(%(plain)s, plain)",
            {"plain": plain},
            window,
            {"pg_trgm.word_similarity_threshold": str(ALIKE)},
        )

    async def containing(self, parts: Sequence[str], window: Window) -> list[Document]:
        """Titles, tags and categories that hold all of these, newest first."""
        patterns = [f"%{_literal(part)}%" for part in parts]
        return await self._ranked(
            "plain",
            "plain LIKE ALL (%(patterns)s)",
            "0",
            {"patterns": patterns},
            window,
        )

    async def picture(self, item_id: UUID) -> dict[str, Any] | None:
        """The embedding of a document, or None where there is no such document."""
        async with self._database.connection() as connection:
            found = await connection.execute(
                "SELECT embedding, embedding_version, category FROM visible WHERE item_id = %s", (item_id,)
            )
            return await found.fetchone()

    async def similar(self, embedding: Vector, version: str, limit: int, without: UUID | None = None) -> list[Document]:
        """Nearest pictures of the same embedding space, most similar first."""
        return await self._rows(
            f"""
            SELECT {COLUMNS}, 1 - (embedding OPERATOR(public.<=>) %(embedding)s) AS score FROM visible
            WHERE embedding_version = %(version)s AND item_id IS DISTINCT FROM %(without)s::uuid
            ORDER BY embedding OPERATOR(public.<=>) %(embedding)s LIMIT %(limit)s
            """,  # noqa: S608
            {"embedding": embedding, "version": version, "without": without, "limit": limit},
            {
                "hnsw.ef_search": str(self._ef_search),
                "hnsw.iterative_scan": "strict_order",
                "hnsw.max_scan_tuples": str(SCANNED),
            },
        )

    async def named(self, items: Sequence[UUID], wanted: Wanted | None = None) -> list[Document]:
        """Those of these items that can be found, in no order, with what they have of what is wanted."""
        sought = wanted.sought() if wanted else []
        has = f", {attributes.have(sought)}" if sought else ""
        return await self._rows(
            f"SELECT {COLUMNS}{has} FROM visible WHERE item_id = ANY(%(items)s)",  # noqa: S608
            {"items": list(items)} | _parameters(sought),
        )

    async def counts(self) -> dict[str, int]:
        """How many documents each category has."""
        async with self._database.connection() as connection:
            found = await connection.execute("SELECT category, count(*) AS n FROM visible GROUP BY category")
            return {row["category"]: row["n"] for row in await found.fetchall()}

    async def _ranked(
        self,
        held: str,
        condition: str,
        score: str,
        values: dict[str, Any],
        window: Window,
        settings: dict[str, str] | None = None,
    ) -> list[Document]:
        sought = window.wanted.sought() if window.wanted else []
        values = values | _bounds(window) | _parameters(sought)
        found = [_newest(held, condition, window, *branch) for branch in _branches(sought)]
        fits = f" * {attributes.fit(sought)}" if sought else ""
        has = f", {attributes.have(sought)}" if sought else ""
        return await self._rows(
            f"""
            WITH matched AS MATERIALIZED ({" UNION ALL ".join(found)}), ranked AS MATERIALIZED (
                SELECT item_id, published_at, (({score}){fits})::float8 AS score FROM matched
                ORDER BY score DESC, published_at DESC, item_id DESC OFFSET %(offset)s LIMIT %(limit)s
            )
            SELECT {COLUMNS}, ranked.score{has} FROM ranked JOIN visible USING (item_id)
            ORDER BY ranked.score DESC, visible.published_at DESC, item_id DESC
            """,  # noqa: S608
            values,
            settings or {},
        )

    async def _rows(self, query: str, values: dict[str, Any], settings: dict[str, str] | None = None) -> list[Document]:
        async with self._database.connection() as connection:
            if not settings:
                return await _documents(connection, query, values)
            async with connection.transaction():
                calls = ", ".join("set_config(%s, %s, true)" for _ in settings)
                await connection.execute(f"SELECT {calls}", [part for entry in settings.items() for part in entry])
                return await _documents(connection, query, values)


def _newest(held: str, condition: str, window: Window, most: int, of_these: str) -> str:
    """The newest of what matches a condition, with what it is ranked by."""
    columns = dict.fromkeys([held, *(["shows", "terms"] if window.wanted else [])])
    return f"""
        (SELECT item_id, {", ".join(columns)}, visible.published_at FROM visible
        WHERE {condition} AND published_at <= %(until)s {IN_CATEGORY if window.category else ""} {of_these}
        ORDER BY published_at DESC, item_id DESC LIMIT {most})
    """  # noqa: S608


def _branches(sought: Sequence[Sought]) -> list[tuple[int, str]]:
    """Parts of what matches that have no document in common, and how many of each are ranked.

    What has the attributes would not be seen among the newest of a common word. Each part costs the same
    however many documents there are.
    """
    if not sought:
        return [(MOST_RANKED, "")]
    kinds = [(MOST_RANKED, "shows @@ %(every)s::tsquery")]
    if len(sought) > 1:
        kinds.append((NEARLY_RANKED, "shows @@ %(all_but_one)s::tsquery"))
    if any(one.said for one in sought):
        kinds.append((NEARLY_RANKED, "terms @@ %(said)s::tsquery"))
    kinds.append((MOST_RANKED, "true"))
    return [
        (most, " ".join([f"AND {kind}", *(f"AND NOT {before}" for _, before in kinds[:at])]))
        for at, (most, kind) in enumerate(kinds)
    ]


def _bounds(window: Window) -> dict[str, Any]:
    names = ("category", "until", "offset", "limit")
    return {name: getattr(window, name) for name in names}


def _parameters(sought: Sequence[Sought]) -> dict[str, str]:
    """Every tsquery that the SQL about attributes names."""
    if not sought:
        return {}
    said = " | ".join(f"({one.said})" for one in sought if one.said)
    whole = {"every": attributes.every(sought), "all_but_one": attributes.all_but_one(sought), "said": said}
    return {name: query for one in sought for name, query in one.parameters.items()} | whole


async def _documents(connection: Connection, query: str, values: dict[str, Any]) -> list[Document]:
    """Planned anew each time: a rare word and a common one need different plans."""
    found = await connection.execute(query.encode(), values, prepare=False)
    return [Document.model_validate(row) for row in await found.fetchall()]


def _literal(part: str) -> str:
    """What LIKE takes as it is."""
    return part.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
