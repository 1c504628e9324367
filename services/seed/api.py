"""The platform's public API, as the seed uses it: patient with what is not there yet."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx

PATIENCE_SECONDS = 120.0
PAUSE_SECONDS = 0.25
PAGE_SIZE = 100


class GaveUp(Exception):
    """The platform did not answer for too long."""


class Unexpected(Exception):
    """The platform refused something that should be fine."""


class Api:
    """Signs people in and registers items for them."""

    def __init__(self, http: httpx.AsyncClient, *, patience: float = PATIENCE_SECONDS) -> None:
        self._http, self._patience = http, patience
        self._tokens: dict[str, str] = {}

    async def sign_in(self, name: str, password: str) -> None:
        """Get a token for somebody."""
        form = {"grant_type": "password", "username": name, "password": password}
        answer = await self._asked("POST", "/api/identity/token", data=form)
        self._tokens[name] = answer.json()["access_token"]

    async def mine(self, name: str, state: str | None = None) -> AsyncIterator[dict[str, Any]]:
        """All items of somebody, the newest first."""
        asked: dict[str, Any] = {"limit": PAGE_SIZE} | ({"state": state} if state else {})
        while True:
            page = (await self._asked("GET", "/api/items/mine", name, params=asked)).json()
            for item in page["items"]:
                yield item
            if not page["next"]:
                return
            asked |= {"cursor": page["next"]}

    async def upload(self, name: str, picture: Path) -> str:
        """The id of the picture."""
        content = await asyncio.to_thread(picture.read_bytes)
        answer = await self._asked("POST", "/api/images", name, files={"file": (picture.name, content)})
        return str(answer.json()["id"])

    async def register(self, name: str, key: str, item: dict[str, Any]) -> dict[str, Any]:
        """Register an item once, however often it is asked."""
        headers = {"idempotency-key": key}
        answer: dict[str, Any] = (await self._asked("POST", "/api/items", name, json=item, headers=headers)).json()
        return answer

    async def like(self, name: str, item_id: str) -> None:
        """Like an item."""
        await self._asked("PUT", f"/api/items/{item_id}/like", name)

    async def _asked(
        self, method: str, path: str, name: str | None = None, headers: dict[str, str] | None = None, **request: Any
    ) -> httpx.Response:
        """The answer; asks again while the platform is busy, starting, or gone for a moment."""
        sent = (headers or {}) | ({"authorization": f"Bearer {self._tokens[name]}"} if name else {})
        deadline = asyncio.get_running_loop().time() + self._patience
        while True:
            trouble = "no answer"
            try:
                answer = await self._http.request(method, path, headers=sent, **request)
                if answer.is_success:
                    return answer
                trouble = f"{answer.status_code} {answer.text[:300]}"
                if answer.status_code < 500 and answer.status_code != 429:
                    raise Unexpected(f"{method} {path}: {trouble}")
            except httpx.TransportError as error:
                trouble = repr(error)
            if asyncio.get_running_loop().time() > deadline:
                raise GaveUp(f"{method} {path}: {trouble}")
            await asyncio.sleep(PAUSE_SECONDS)
