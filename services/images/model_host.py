"""Asks the host of super_resolution for a picture; whatever it does not give is one error with one word for why."""

import asyncio
import binascii
import itertools
from base64 import b64decode
from io import BytesIO
from typing import Any

import httpx
import orjson
from PIL import Image

from services.chassis.logs import request_id

PATH = "/v2/models/super_resolution/predict"


class NoModel(Exception):
    """The model gives no picture now; `reason` is one word for the metric."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason} {detail}".strip())
        self.reason = reason


class ModelHost:
    """The hosts in turn (comma-separated base addresses); one that cannot be reached is skipped."""

    def __init__(self, http: httpx.AsyncClient, addresses: str) -> None:
        self._http = http
        self._hosts = [address.strip().rstrip("/") for address in addresses.split(",") if address.strip()]
        self._turn = itertools.count()

    async def enlarged(self, raw: bytes, size: tuple[int, int], seconds: float) -> tuple[bytes, str]:
        """A PNG of that size, and the version that made it; raises NoModel."""
        try:
            async with asyncio.timeout(seconds):
                answer = await self._answer(raw)
        except TimeoutError as error:
            raise NoModel("timeout") from error
        try:
            return _picture(answer, size), str(answer["version"])
        except (KeyError, TypeError, ValueError, binascii.Error, OSError) as error:
            raise NoModel("unreadable", repr(error)) from error

    async def _answer(self, raw: bytes) -> Any:
        first = next(self._turn) % len(self._hosts)
        headers = {"content-type": "application/octet-stream", "x-client": "images"}
        if current := request_id.get():
            headers["x-request-id"] = current
        for host in self._hosts[first:] + self._hosts[:first]:
            try:
                response = await self._http.post(host + PATH, content=raw, headers=headers, timeout=None)
            except (httpx.ConnectError, httpx.RemoteProtocolError):
                continue
            except httpx.HTTPError as error:
                raise NoModel("unreachable", repr(error)) from error
            return _by_the_model(response)
        raise NoModel("unreachable")


def _by_the_model(response: httpx.Response) -> Any:
    """The answer, if it is the model's and not its default."""
    if response.status_code != 200:
        raise NoModel("refused", f"{response.status_code} {response.text[:200]}")
    try:
        answer = orjson.loads(response.content)
        if answer["served_by"] != "model":
            raise NoModel(str(answer["reason"] or "default"))
    except (KeyError, TypeError, orjson.JSONDecodeError) as error:
        raise NoModel("unreadable", repr(error)) from error
    return answer


def _picture(answer: Any, size: tuple[int, int]) -> bytes:
    """Only what is a PNG of the size that was asked for goes out under our name."""
    content = b64decode(answer["picture"]["png"], validate=True)
    found = Image.open(BytesIO(content), formats=("PNG",)).size
    if found != size:
        raise ValueError(f"is {found}, not {size}")
    return content
