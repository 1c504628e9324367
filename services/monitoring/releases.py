"""Releases: which version is the champion of which model, and since when; followed in the registry."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

from services.chassis.database import Connection, Database
from services.monitoring.annotations import Note, note

ALIAS = "champion"
PAGE = 200
CHANGED = """
INSERT INTO champions (model, version, since) VALUES (%s, %s, %s)
ON CONFLICT (model) DO UPDATE SET version = excluded.version, since = excluded.since
WHERE champions.version <> excluded.version
RETURNING version
"""


@dataclass(frozen=True)
class Registry:
    """MLflow, as far as it says who serves."""

    http: httpx.AsyncClient
    address: str

    async def champions(self) -> dict[str, str]:
        """Model -> version; raises httpx.HTTPError when MLflow does not answer."""
        found: dict[str, str] = {}
        page: str | None = ""
        while page is not None:
            answer = await self._page(page)
            models: list[dict[str, Any]] = answer.get("registered_models", [])
            found |= {model["name"]: version for model in models if (version := _champion(model.get("aliases", [])))}
            page = answer.get("next_page_token") or None
        return found

    async def _page(self, token: str) -> dict[str, Any]:
        url = f"{self.address.rstrip('/')}/api/2.0/mlflow/registered-models/search"
        asked = {"max_results": PAGE} | ({"page_token": token} if token else {})
        response = await self.http.get(url, params=asked)
        response.raise_for_status()
        answer: dict[str, Any] = response.json()
        return answer


def _champion(aliases: Iterable[dict[str, str]]) -> str | None:
    return next((str(alias["version"]) for alias in aliases if alias["alias"] == ALIAS), None)


async def follow(database: Database, registry: Registry) -> int:
    """Note every champion that is another one than before; returns how many are."""
    champions, at, changed = await registry.champions(), datetime.now(UTC), 0
    async with database.connection() as connection:
        for model, version in sorted(champions.items()):
            async with connection.transaction():
                changed += await _changed(connection, model, version, at)
        # One that is gone and comes back is released again.
        await connection.execute("DELETE FROM champions WHERE model <> ALL(%s)", (list(champions),))
    return changed


async def _changed(connection: Connection, model: str, version: str, at: datetime) -> int:
    before = await (await connection.execute("SELECT version FROM champions WHERE model = %s", (model,))).fetchone()
    if not await (await connection.execute(CHANGED, (model, version, at))).fetchone():
        return 0
    instead = f", instead of {before['version']}" if before else ""
    released = Note(
        key=f"release:{model}:{version}:{at.isoformat()}",
        kind="release",
        began_at=at,
        text=f"{model}: version {version} is the champion{instead}",
        tags=["release", model],
    )
    return await note(connection, [released])
