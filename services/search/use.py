"""Takes in what people did with results: of each item, and of what each user seems to like.

Search's own events come back by the broker, each taken once. An impression counts as the chance that it
was looked at, by its position: what stands low is not held against an item. What programs that play users
did is kept apart, and people never see its effect.
"""

from collections.abc import Callable, Coroutine, Iterable
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from models.search_ranking.features import GRADES, examined, traits
from services.chassis.database import Connection, Database
from services.contracts import CloudEvent, ItemLiked, SearchActed, SearchShown

ITEMS: Final = """
INSERT INTO item_use AS known (item_id, day, simulated, examined, clicks, long_views)
SELECT item_id, %(day)s::date, %(simulated)s, examined, clicks, long_views
FROM unnest(%(items)s::uuid[], %(examined)s::float8[], %(clicks)s::int[], %(long_views)s::int[])
    AS new(item_id, examined, clicks, long_views)
ON CONFLICT (item_id, day, simulated) DO UPDATE SET
    examined = known.examined + excluded.examined, clicks = known.clicks + excluded.clicks,
    long_views = known.long_views + excluded.long_views
"""
USERS: Final = """
INSERT INTO user_use AS known (subject, trait, examined, clicks)
SELECT %(subject)s, trait, examined, clicks
FROM unnest(%(traits)s::text[], %(examined)s::float8[], %(clicks)s::float8[]) AS new(trait, examined, clicks)
ON CONFLICT (subject, trait) DO UPDATE SET
    examined = known.examined + excluded.examined, clicks = known.clicks + excluded.clicks
"""
CHOSEN: Final = """
INSERT INTO user_items AS known (subject, item_id, grade, at) VALUES (%(subject)s, %(item_id)s, %(grade)s, %(at)s)
ON CONFLICT (subject, item_id) DO UPDATE SET
    grade = greatest(known.grade, excluded.grade), at = greatest(known.at, excluded.at)
"""
RETENTION: Final = {
    "item_use": "day < current_date - 30",
    "user_items": "at < now() - interval '180 days'",
    "use_taken": "taken_at < now() - interval '14 days'",
}


async def shown(database: Database, data: SearchShown, event: CloudEvent) -> None:
    """A page was shown: its results may have been looked at."""
    looked = {impression.item_id: examined(impression.position) for impression in data.impressions}
    async with database.connection() as connection, connection.transaction():
        if not looked or not await _is_new(connection, event):
            return
        nothing = [0] * len(looked)
        await connection.execute(
            ITEMS, _day(data.shown_at, data.simulated)
            | {"items": sorted(looked), "examined": [looked[item] for item in sorted(looked)]}
            | {"clicks": nothing, "long_views": nothing},
        )  # fmt: skip
        if data.subject:
            counted = await _by_trait(connection, looked)
            await _of_user(connection, data.subject, counted, {})


async def acted(database: Database, data: SearchActed, event: CloudEvent) -> None:
    """Somebody clicked a result, or looked at it for long."""
    clicks, long_views = int(data.action == "click"), int(data.action == "long_view")
    async with database.connection() as connection, connection.transaction():
        if not await _is_new(connection, event):
            return
        await connection.execute(
            ITEMS, _day(data.acted_at, data.simulated)
            | {"items": [data.item_id], "examined": [0.0], "clicks": [clicks], "long_views": [long_views]},
        )  # fmt: skip
        if data.subject:
            await _chosen(connection, data.subject, data.item_id, GRADES[data.action], data.acted_at)
            if clicks:
                await _of_user(connection, data.subject, {}, await _by_trait(connection, {data.item_id: 1.0}))


async def liked(database: Database, data: ItemLiked, event: CloudEvent) -> None:
    """Somebody likes an item; taken back, it stays something they looked at."""
    grade = GRADES["like"] if data.liked else GRADES["click"]
    async with database.connection() as connection, connection.transaction():
        if not data.liked:
            await connection.execute(
                "UPDATE user_items SET grade = %s WHERE subject = %s AND item_id = %s",
                (grade, data.user_id, data.item_id),
            )
        elif await _is_new(connection, event):
            await _chosen(connection, data.user_id, data.item_id, grade, event.time)


def keep_lately(database: Database) -> Callable[[], Coroutine[Any, Any, None]]:
    """A turn that forgets what is too old to say anything."""

    async def forget() -> None:
        async with database.connection() as connection:
            for table, old in RETENTION.items():
                await connection.execute(f"DELETE FROM {table} WHERE {old}".encode())  # noqa: S608

    return forget


async def _is_new(connection: Connection, event: CloudEvent) -> bool:
    """The broker may bring an event twice."""
    taken = await connection.execute("INSERT INTO use_taken (event_id) VALUES (%s) ON CONFLICT DO NOTHING", (event.id,))
    return taken.rowcount == 1


async def _by_trait(connection: Connection, amounts: dict[UUID, float]) -> dict[str, float]:
    """What was counted for items, as traits of what they show."""
    found = await connection.execute(
        "SELECT item_id, title, category FROM visible WHERE item_id = ANY(%s)", (list(amounts),)
    )
    counted: dict[str, float] = {}
    for row in await found.fetchall():
        for trait in traits(row["title"], row["category"]):
            counted[trait] = counted.get(trait, 0.0) + amounts[row["item_id"]]
    return counted


async def _of_user(connection: Connection, subject: UUID, looked: dict[str, float], clicked: dict[str, float]) -> None:
    names = sorted({*looked, *clicked})  # in one order, or two pages of one user wait for each other
    values = {"examined": _of(looked, names), "clicks": _of(clicked, names)}
    await connection.execute(USERS, {"subject": subject, "traits": names} | values)


def _of(counted: dict[str, float], names: Iterable[str]) -> list[float]:
    return [counted.get(name, 0.0) for name in names]


async def _chosen(connection: Connection, subject: UUID, item_id: UUID, grade: int, at: datetime) -> None:
    await connection.execute(CHOSEN, {"subject": subject, "item_id": item_id, "grade": grade, "at": at})


def _day(at: datetime, simulated: bool) -> dict[str, Any]:
    return {"day": at.date(), "simulated": simulated}
