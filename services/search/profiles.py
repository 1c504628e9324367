"""What is known, at this moment, of candidates and of who asks: all that the ranker's features are made from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from models.image_screening.contract import EMBEDDING_VERSION
from models.search_ranking.features import Asked, Candidate, Use, User
from services.chassis.auth import Caller
from services.chassis.database import Connection, Database
from services.search.documents import Document

RECENT: Final = 30
"""So many of the items that somebody chose last say what pictures they like."""

DAYS: Final = 14
"""What people did with an item counts for so long."""

TASTE: Final = """
WITH taste AS (
    SELECT public.avg(embedding) AS picture FROM (
        SELECT item_id FROM user_items WHERE subject = %(subject)s ORDER BY at DESC LIMIT %(recent)s
    ) chosen JOIN visible USING (item_id) WHERE embedding_version = %(version)s
)
"""
CANDIDATES: Final = f"""{TASTE}
SELECT visible.item_id, used.*, coalesce(chosen.grade, 0) AS known,
    CASE WHEN embedding_version = %(version)s THEN 1 - (embedding OPERATOR(public.<=>) taste.picture) END AS taste
FROM visible CROSS JOIN taste
LEFT JOIN user_items chosen ON chosen.subject = %(subject)s AND chosen.item_id = visible.item_id
CROSS JOIN LATERAL (
    SELECT coalesce(sum(examined), 0) AS examined, coalesce(sum(clicks), 0)::float8 AS clicks,
        coalesce(sum(long_views), 0)::float8 AS long_views
    FROM item_use WHERE item_use.item_id = visible.item_id AND day > current_date - %(days)s
        AND (NOT simulated OR %(simulated)s)
) used
WHERE visible.item_id = ANY(%(items)s)
"""  # noqa: S608


@dataclass(frozen=True)
class Question:
    """What was asked, and by whom."""

    query: str = ""
    category: str | None = None
    caller: Caller | None = None


class Profiles:
    """Reads what `use` keeps."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def asked(self, question: Question, documents: Sequence[Document]) -> Asked:
        """The question with its candidates, in their order."""
        caller = question.caller
        async with self._database.connection() as connection:
            user = await user_of(connection, caller.id) if caller else User()
            known = await _known(connection, caller, [document.item_id for document in documents])
        now = datetime.now(UTC)
        candidates = [_candidate(document, known.get(document.item_id, {}), now, caller) for document in documents]
        return Asked(candidates, question.query, question.category, user)


async def user_of(connection: Connection, subject: UUID) -> User:
    """What of each trait somebody looked at, and clicked."""
    found = await connection.execute("SELECT trait, examined, clicks FROM user_use WHERE subject = %s", (subject,))
    rows = await found.fetchall()
    return User({row["trait"]: row["examined"] for row in rows}, {row["trait"]: row["clicks"] for row in rows})


async def _known(connection: Connection, caller: Caller | None, items: list[UUID]) -> dict[UUID, dict[str, Any]]:
    values = {
        "subject": caller.id if caller else None,
        "simulated": bool(caller and caller.simulated),
        "items": items,
        "recent": RECENT,
        "days": DAYS,
        "version": EMBEDDING_VERSION,
    }
    found = await connection.execute(CANDIDATES, values)
    return {row["item_id"]: row for row in await found.fetchall()}


def _candidate(document: Document, known: Mapping[str, Any], now: datetime, caller: Caller | None) -> Candidate:
    used = Use(known["examined"], known["clicks"], known["long_views"]) if known else Use()
    return Candidate(
        title=document.title,
        category=document.category,
        likes=document.likes,
        age_hours=(now - document.published_at).total_seconds() / 3600,
        fit=document.score,
        taste=known.get("taste"),
        known=known.get("known", 0),
        own=caller is not None and caller.id == document.owner_id,
        use=used,
    )
