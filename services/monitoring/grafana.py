"""Sends annotations to Grafana. Where it is not, they wait."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

from services.chassis.database import Database
from services.monitoring.annotations import Annotation, sent, unsent

log = logging.getLogger(__name__)

ADMINISTRATOR = "admin"
AT_ONCE = 50


@dataclass(frozen=True)
class Grafana:
    """Grafana's address and its administrator's password."""

    http: httpx.AsyncClient
    address: str
    password_file: Path

    async def answers(self) -> bool:
        """Whether it is there; it may never be."""
        try:
            response = await self.http.get(f"{self.address}/api/health", timeout=2)
        except httpx.HTTPError:
            return False
        return response.status_code == 200

    async def keep(self, annotation: Annotation) -> int:
        """Grafana's id of the annotation, which it may have already: we may have died before we knew."""
        return await asyncio.to_thread(_keep, self.address, self.password_file.read_text().strip(), annotation)


def _keep(address: str, password: str, annotation: Annotation) -> int:
    # Imported where it is needed: most of the time there is nothing to send.
    from grafana_client import GrafanaApi

    api = GrafanaApi.from_url(address, credential=(ADMINISTRATOR, password), timeout=5)
    mark = f"id:{annotation.id}"
    if known := api.annotations.get_annotation(tags=[mark]):
        return int(known[0]["id"])
    kept = api.annotations.add_annotation(
        time_from=_milliseconds(annotation.began_at.timestamp()),
        time_to=_milliseconds((annotation.ended_at or annotation.began_at).timestamp()),
        tags=[*annotation.tags, mark],
        text=annotation.text,
    )
    return int(kept["id"])


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


async def send(database: Database, grafana: Grafana, taken: Callable[[], None]) -> None:
    """Send what Grafana does not have yet; tells of each that it took."""
    waiting = await unsent(database, AT_ONCE)
    if not waiting or not await grafana.answers():
        return
    for annotation in waiting:
        await sent(database, annotation, await grafana.keep(annotation))
        taken()
        log.info("Grafana has: %s", annotation.text, extra={"action": "annotation.sent"})
