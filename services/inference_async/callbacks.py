"""Tells others that a job has ended: a signed POST to the address they gave, again until they have it.

Only hosts that a setting names are called: an address from outside must not make this service speak to
its neighbours. Signed as Standard Webhooks has it (standardwebhooks.com).
"""

import asyncio
import base64
import hashlib
import hmac
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import httpx

from services.chassis.database import Database
from services.chassis.errors import BadInput, Fault
from services.inference_async.job_metrics import JobMetrics

log = logging.getLogger(__name__)

BACKOFF_SECONDS = (0.5, 2.0, 8.0, 30.0, 120.0, 600.0)
"""After each attempt but the last."""
TIMEOUT_SECONDS = 5.0
HELD = timedelta(seconds=4 * TIMEOUT_SECONDS)
"""Whoever sends has ended by then, or is dead."""
BATCH = 10

Told = Callable[[UUID], Awaitable[bytes | None]]


class Callbacks:
    """The table of callbacks and the sending of them."""

    def __init__(
        self,
        database: Database,
        http: httpx.AsyncClient,
        metrics: JobMetrics,
        *,
        key: bytes,
        hosts: Collection[str],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database, self._http, self._metrics = database, http, metrics
        self._key, self._hosts, self._clock = key, hosts, clock

    def checked(self, url: str | None) -> str | None:
        """The address, if it may be called; raises BadInput."""
        if url is None or _host(url) in self._hosts:
            return url
        allowed = ", ".join(sorted(self._hosts)) or "none: no host is named in CALLBACK_HOSTS"
        fault = Fault(where="header.Callback-Url", what="is not one of the hosts that may be called", allowed=allowed)
        raise BadInput("", fault)

    async def deliver_due(self, told: Told) -> int:
        """Send what is due, side by side: a slow receiver holds nobody up, nor does a sender that dies."""
        async with self._database.connection() as connection:
            due = await connection.execute(
                """
                UPDATE callbacks SET attempts = attempts + 1, due_at = now() + %s
                WHERE job_id IN (
                    SELECT job_id FROM callbacks WHERE state = 'due' AND due_at <= now()
                    ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED
                )
                RETURNING job_id, url, attempts
                """,
                (HELD, BATCH),
            )
            rows = await due.fetchall()
        await asyncio.gather(*(self._deliver(row, told) for row in rows))
        return len(rows)

    async def _deliver(self, row: Mapping[str, Any], told: Told) -> None:
        body = await told(row["job_id"])
        status: int | None = None
        error: str | None = "the job has expired"
        if body is not None:
            status, error = await self._send(row["url"], row["job_id"], body)
        delivered = status is not None and 200 <= status < 300
        given_up = not delivered and (body is None or row["attempts"] > len(BACKOFF_SECONDS))
        outcome = "delivered" if delivered else "given_up" if given_up else "retried"
        self._metrics.callbacks.labels(outcome).inc()
        log.info(
            "callback %s",
            outcome,
            extra={"action": f"callback.{outcome}", "job_id": row["job_id"], "status": status, "why": error},
        )
        await self._note(row, outcome, status, error)

    async def _send(self, url: str, job_id: UUID, body: bytes) -> tuple[int | None, str | None]:
        headers = signed(self._key, str(job_id), int(self._clock()), body) | {"content-type": "application/json"}
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):  # httpx counts between two bytes, not to the end
                answer = await self._http.post(url, content=body, headers=headers, follow_redirects=False)
        except (httpx.HTTPError, TimeoutError) as error:
            return None, repr(error)
        return answer.status_code, None if answer.is_success else answer.reason_phrase

    async def _note(self, row: Mapping[str, Any], outcome: str, status: int | None, error: str | None) -> None:
        pause = BACKOFF_SECONDS[min(row["attempts"], len(BACKOFF_SECONDS)) - 1]
        state = "due" if outcome == "retried" else outcome
        async with self._database.connection() as connection:
            await connection.execute(
                """
                UPDATE callbacks SET state = %(state)s, status = %(status)s, error = %(error)s,
                    due_at = now() + %(pause)s,
                    delivered_at = CASE WHEN %(state)s = 'delivered' THEN now() END
                WHERE job_id = %(job)s
                """,
                {
                    "state": state,
                    "status": status,
                    "error": error,
                    "pause": timedelta(seconds=pause),
                    "job": row["job_id"],
                },
            )


def signed(key: bytes, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The three headers by which a receiver knows who sent it, and when."""
    signature = hmac.new(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{base64.b64encode(signature).decode()}",
    }


def _host(url: str) -> str | None:
    """`host` or `host:port`; None for what must never be called."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return None
    plain = parts.scheme in ("http", "https") and parts.hostname and not parts.username and not parts.password
    return f"{parts.hostname}{port}" if plain else None
