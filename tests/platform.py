"""A running platform as its users see it: one address, accounts, the public API."""

import io
import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx
import numpy as np
from PIL import Image

from services.chassis.ports import PORTS

T = TypeVar("T")
ROOT = Path(__file__).parents[1]
FINAL = {"published", "rejected", "needs_review", "withdrawn"}


def eventually(look: Callable[[], T | None], what: str, seconds: float = 20.0) -> T:
    """What `look` finds as soon as it finds something; fails saying what never came."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < deadline, f"{what} did not come in {seconds} s"
        time.sleep(0.05)


@dataclass(frozen=True)
class Account:
    """A demo account."""

    name: str
    password: str
    roles: tuple[str, ...]


@dataclass
class Platform:
    """The address, the accounts, and who is signed in already."""

    url: str
    accounts: list[Account]
    state_dir: Path | None = None
    project: str | None = None
    _tokens: dict[str, str] = field(default_factory=dict)
    _clients: list[httpx.Client] = field(default_factory=list)

    @classmethod
    def at(cls, url: str, accounts: Path, state_dir: Path | None = None, project: str | None = None) -> "Platform":
        """Any platform: its address and its file of accounts."""
        found = [Account(a["name"], a["password"], tuple(a["roles"])) for a in json.loads(accounts.read_text())]
        return cls(url.rstrip("/"), found, state_dir, project)

    @property
    def offset(self) -> int:
        """How far its ports are from the usual ones."""
        return (urlsplit(self.url).port or PORTS["gateway"]) - PORTS["gateway"]

    def inside(self, service: str, port: str | None = None) -> list[str]:
        """Host and port of every replica of a service; none where the inside cannot be reached."""
        number = PORTS[port or service]
        if self.state_dir:
            return [f"127.0.0.1:{number + self.offset + replica}" for replica in range(2)]
        return [f"{host}:{number}" for host in hosts(self.project, service)] if self.project else []

    def account(self, role: str | None = None, number: int = 0) -> Account:
        """The n-th account with that role, or without any special one."""
        special = {"moderator", "operator"}
        fits = [a for a in self.accounts if (role in a.roles if role else not special & set(a.roles))]
        return fits[number % len(fits)]

    def anonymous(self) -> httpx.Client:
        """Somebody who is not signed in."""
        client = httpx.Client(base_url=self.url, timeout=20, transport=httpx.HTTPTransport(retries=2))
        self._clients.append(client)
        return client

    def close(self) -> None:
        """Hang up everybody's connections."""
        for client in self._clients:
            client.close()

    def user(self, role: str | None = None, number: int = 0) -> "User":
        """Somebody who is signed in."""
        account = self.account(role, number)
        client = self.anonymous()
        if account.name not in self._tokens:
            form = {"grant_type": "password", "username": account.name, "password": account.password}
            answer = client.post("/api/identity/token", data=form)
            assert answer.status_code == 200, answer.text
            self._tokens[account.name] = answer.json()["access_token"]
        client.headers["authorization"] = f"Bearer {self._tokens[account.name]}"
        return User(client, account)


@dataclass
class User:
    """A signed-in user and what users do."""

    http: httpx.Client
    account: Account

    def upload(self, picture: bytes) -> str:
        """Upload a picture; its id."""
        answer = self.http.post("/api/images", files={"file": ("picture", picture)})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def register(self, picture: bytes, title: str, description: str = "", **more: Any) -> dict[str, Any]:
        """Upload and register; the item as it was accepted."""
        body = {"image_id": self.upload(picture), "title": title, "description": description} | more
        answer = self.http.post("/api/items", json=body)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def item(self, item_id: str) -> dict[str, Any]:
        """The item as this user sees it."""
        answer = self.http.get(f"/api/items/{item_id}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def decided(self, item_id: str, seconds: float = 20.0) -> dict[str, Any]:
        """The item once it is judged, and searchable if it is published."""

        def look() -> dict[str, Any] | None:
            item = self.item(item_id)
            done = item["state"] in FINAL and (item["state"] != "published" or item["searchable_at"])
            return item if done else None

        return eventually(look, f"a decision about {item_id}", seconds)

    def served_by(self, model: str) -> bool:
        """Whether hosts have that model: those beyond the required ones come later, or when somebody asks for them."""
        return self.http.get(f"/v2/models/{model}/ready").status_code == 200

    def found(self, **query: Any) -> list[str]:
        """Ids of what a search finds."""
        answer = self.http.get("/api/search", params={"limit": 60} | query)
        assert answer.status_code == 200, answer.text
        return [result["item_id"] for result in answer.json()["results"]]


def hosts(project: str, service: str) -> list[str]:
    """Addresses of the containers of a service, as the machine reaches them that they run on."""
    told = docker("compose", "-p", project, "ps", "-q", service).split()
    networks = f'{{{{json (index .NetworkSettings.Networks "{project}_services").IPAddress}}}}'
    return [str(json.loads(line)) for line in docker("inspect", "--format", networks, *told).splitlines()]


def docker(*words: str) -> str:
    """Standard output of Docker's command line."""
    return subprocess.run(["docker", *words], cwd=ROOT, text=True, capture_output=True, check=True).stdout


def jpeg(pixels: np.ndarray[Any, Any], quality: int = 90) -> bytes:
    """Pixels as a JPEG file."""
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=quality)
    return out.getvalue()


def photo(name: str, salt: int | None = None) -> bytes:
    """A photo that a package ships (cat, coffee, flower, temple); a salt makes it a picture of its own."""
    pixels = _PHOTOS[name]().copy()
    if salt is not None:
        pixels[:4, :16] = np.random.default_rng(salt).integers(0, 255, (4, 16, 3), dtype=np.uint8)
    return jpeg(pixels)


def _skimage(name: str) -> Callable[[], np.ndarray[Any, Any]]:
    def load() -> np.ndarray[Any, Any]:
        import skimage.data

        return np.asarray(getattr(skimage.data, name)())

    return load


def _sklearn(name: str) -> Callable[[], np.ndarray[Any, Any]]:
    def load() -> np.ndarray[Any, Any]:
        from sklearn.datasets import load_sample_image

        return np.asarray(load_sample_image(name))

    return load


_PHOTOS = {
    "cat": _skimage("chelsea"),
    "coffee": _skimage("coffee"),
    "flower": _sklearn("flower.jpg"),
    "temple": _sklearn("china.jpg"),
}


def blank(shade: int = 128) -> bytes:
    """A picture of nothing: an obvious violation."""
    return jpeg(np.full((480, 640, 3), shade, dtype=np.uint8))
