"""The model registry over MLflow's REST API: which version is champion, and its artefact."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

from models.contract import Manifest
from services.sources.onnx_model import Unfit, read_manifest, sha256

CHAMPION = "champion"
CHUNK_BYTES = 1 << 20
ASKING_SECONDS = 3.0
MOST_MODELS = 1000
"""As many as MLflow lists in one answer."""


@dataclass(frozen=True)
class Release:
    """One version of a model; the hash tells versions of an emptied and refilled registry apart."""

    name: str
    version: str
    manifest_sha256: str


@dataclass(frozen=True)
class Registered:
    """A model as the registry lists it; any new version, and a model made anew, has another time of change."""

    name: str
    changed: int
    named: tuple[tuple[str, str], ...]

    @classmethod
    def read(cls, model: Mapping[str, Any]) -> "Registered":
        """As MLflow says it."""
        named = sorted((one["alias"], str(one["version"])) for one in model.get("aliases") or [])
        return cls(model["name"], int(model.get("last_updated_timestamp") or 0), tuple(named))

    @property
    def aliases(self) -> dict[str, str]:
        """Alias -> version."""
        return dict(self.named)


class MlflowRegistry:
    """Reads only. What fails on the way is httpx.HTTPError."""

    def __init__(self, http: httpx.AsyncClient, address: str) -> None:
        self._http = http
        self._api = f"{address.rstrip('/')}/api/2.0"
        self._asking: asyncio.Task[dict[str, Registered]] | None = None
        self._known: dict[tuple[Registered, str], Release] = {}

    async def named(self, name: str, alias: str = CHAMPION) -> Release | None:
        """The version that the alias names, if there is one."""
        found = (await self._all()).get(name)
        number = found.aliases.get(alias) if found else None
        if found is None or number is None:
            return None
        release = self._known.get((found, number)) or await self.version(name, number)
        if release and release.manifest_sha256:
            self._known = {key: kept for key, kept in self._known.items() if key[0].name != name or key[0] == found}
            self._known[found, number] = release
        return release

    async def _all(self) -> dict[str, Registered]:
        """Every model by name. A host looks for many at the same moment: they share one question."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._registered())
        return await asyncio.shield(self._asking)

    async def _registered(self) -> dict[str, Registered]:
        url = f"{self._api}/mlflow/registered-models/search"
        response = await self._http.get(url, params={"max_results": MOST_MODELS}, timeout=ASKING_SECONDS)
        found = response.raise_for_status().json().get("registered_models") or []
        return {model["name"]: Registered.read(model) for model in found}

    async def version(self, name: str, version: str) -> Release | None:
        """That version, if it was registered."""
        url = f"{self._api}/mlflow/model-versions/get"
        response = await self._http.get(url, params={"name": name, "version": version}, timeout=ASKING_SECONDS)
        if response.status_code in (400, 404):
            return None
        return _release(name, response.raise_for_status().json())

    async def fetch(self, release: Release, folder: Path) -> None:
        """Bring the artefact into an empty folder; raises Unfit when the manifest is not the registered one."""
        root = await self._root(release)
        await self._file(root, "manifest.json", folder)
        if await asyncio.to_thread(sha256, folder / "manifest.json") != release.manifest_sha256:
            raise Unfit("manifest", "is not the one that was registered")
        manifest: Manifest = await asyncio.to_thread(read_manifest, folder)
        for name in manifest.files:
            if PurePosixPath(name).name != name:
                raise Unfit("files", f"{name} is not the plain name of a file")
            await self._file(root, name, folder)

    async def _root(self, release: Release) -> str:
        url = f"{self._api}/mlflow/model-versions/get-download-uri"
        parameters = {"name": release.name, "version": release.version}
        response = (await self._http.get(url, params=parameters)).raise_for_status()
        body: dict[str, Any] = response.json()
        return urlsplit(str(body["artifact_uri"])).path.strip("/")

    async def _file(self, root: str, name: str, folder: Path) -> None:
        url = f"{self._api}/mlflow-artifacts/artifacts/{quote(f'{root}/{name}')}"
        async with self._http.stream("GET", url) as response:
            if response.status_code == 404:
                raise Unfit("files", f"{name} is not in the registry")
            response.raise_for_status()
            with (folder / name).open("wb") as file:
                async for chunk in response.aiter_bytes(CHUNK_BYTES):
                    await asyncio.to_thread(file.write, chunk)


def _release(name: str, body: dict[str, Any]) -> Release:
    found = body["model_version"]
    tags = {tag["key"]: tag["value"] for tag in found.get("tags", [])}
    return Release(name, str(found["version"]), tags.get("manifest_sha256", ""))
