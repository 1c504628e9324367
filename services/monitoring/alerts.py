"""Alerts: what Alertmanager sends (webhook, version 4), and what is kept of it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Literal

from psycopg.types.json import Jsonb
from pydantic import AfterValidator, AwareDatetime, BaseModel, Field

from services.chassis.database import Database

Status = Literal["firing", "resolved"]
Words = dict[str, str]


def _storable(text: str) -> str:
    if "\0" in text:
        raise ValueError("holds the character NUL")
    return text


def _of_the_calendar(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:  # the first and the last hours of the calendar, in another zone
        raise ValueError("lies outside of the years 1 to 9999") from error


Word = Annotated[str, AfterValidator(_storable)]
Moment = Annotated[AwareDatetime, AfterValidator(_of_the_calendar)]


class SentAlert(BaseModel):
    """One alert as Alertmanager tells it. While it fires, its end lies before its beginning."""

    status: Status
    labels: dict[Word, Word]
    annotations: dict[Word, Word] = Field(default_factory=dict)
    starts_at: Moment = Field(alias="startsAt")
    ends_at: Moment | None = Field(None, alias="endsAt")
    generator_url: Word = Field("", alias="generatorURL", max_length=4000)
    fingerprint: Word = Field(min_length=1, max_length=64)

    @property
    def ended_at(self) -> datetime | None:
        """When it ended, if it did."""
        return self.ends_at if self.status == "resolved" else None


class Notification(BaseModel):
    """What Alertmanager posts: the alerts of one group."""

    version: Literal["4"]
    group_key: str = Field(alias="groupKey")
    receiver: Word
    status: Status
    truncated_alerts: int = Field(0, alias="truncatedAlerts", ge=0)
    alerts: list[SentAlert]


class Alert(BaseModel):
    """One alert as it is kept."""

    name: str
    severity: str | None
    status: Status
    starts_at: datetime
    ends_at: datetime | None
    labels: Words
    annotations: Words
    generator_url: str
    fingerprint: str


STORE = """
INSERT INTO alerts (fingerprint, starts_at, status, ends_at, name, severity, labels, annotations, generator_url,
                    receiver)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (fingerprint, starts_at) DO UPDATE
SET status = excluded.status, ends_at = excluded.ends_at, annotations = excluded.annotations, told_at = now()
WHERE alerts.status = 'firing'
"""
"""What has ended stays so: a late word that it fires comes from before."""

LISTED = """
SELECT name, severity, status, starts_at, ends_at, labels, annotations, generator_url, fingerprint FROM alerts
WHERE %(status)s::text IS NULL OR status = %(status)s
ORDER BY status = 'firing' DESC, starts_at DESC LIMIT %(limit)s
"""


async def store(database: Database, notification: Notification) -> None:
    """Keep every alert of the group, all or none of them."""
    rows = [_row(alert, notification.receiver) for alert in notification.alerts]
    async with database.connection() as connection, connection.transaction(), connection.cursor() as cursor:
        await cursor.executemany(STORE, rows)


def _row(alert: SentAlert, receiver: str) -> Sequence[object]:
    return (
        alert.fingerprint,
        alert.starts_at,
        alert.status,
        alert.ended_at,
        alert.labels.get("alertname", ""),
        alert.labels.get("severity"),
        Jsonb(alert.labels),
        Jsonb(alert.annotations),
        alert.generator_url,
        receiver,
    )


async def listed(database: Database, status: Status | None, limit: int) -> list[Alert]:
    """What fires first, then what has ended, each with the newest first."""
    async with database.connection() as connection:
        rows = await connection.execute(LISTED, {"status": status, "limit": limit})
        return [Alert(**row) for row in await rows.fetchall()]


async def firing(database: Database) -> int:
    """How many fire now."""
    async with database.connection() as connection:
        rows = await connection.execute("SELECT count(*) AS firing FROM alerts WHERE status = 'firing'")
        row = await rows.fetchone()
        return int(row["firing"]) if row else 0
