"""A container registry, by the OCI distribution API."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from urllib.parse import urljoin

import httpx

from services.chassis.errors import Problem
from services.image_builder.oci import INDEX, MANIFEST, Blob

CHUNK_BYTES = 1 << 20
SECONDS = httpx.Timeout(60, connect=3)


class RegistryRefused(Problem):
    """The registry did not take it."""

    status = 502


class Registry:
    """Blobs go once into the registry, and are mounted wherever they are needed again."""

    def __init__(self, http: httpx.AsyncClient, address: str, public: str) -> None:
        self._http, self._address, self._public = http, address.rstrip("/"), public

    def reference(self, repository: str, tag: str) -> str:
        """As `docker pull` takes it on the machine that runs the platform."""
        return f"{self._public}/{repository}:{tag}"

    async def put(self, repository: str, blob: Blob, *, shared_by: str | None = None) -> int:
        """HEAD, then mount, then upload: whichever comes first."""
        if (await self._ask("HEAD", f"{repository}/blobs/{blob.digest}", (200, 404))).status_code == 200:
            return 0
        mount = {"mount": blob.digest, "from": shared_by} if shared_by else {}
        started = await self._ask("POST", f"{repository}/blobs/uploads/", (201, 202), params=mount)
        if started.status_code == 201:
            return 0
        await self._upload(urljoin(str(started.url), started.headers["location"]), blob)
        return blob.size

    async def tagged(self, repository: str, tag: str) -> str | None:
        """What the registry says the tag is."""
        # What is not named here is answered with 404, as if it were not there.
        headers = {"accept": f"{MANIFEST}, {INDEX}, application/vnd.docker.distribution.manifest.v2+json"}
        answer = await self._ask("HEAD", f"{repository}/manifests/{tag}", (200, 404), headers=headers)
        return answer.headers["docker-content-digest"] if answer.status_code == 200 else None

    async def tag(self, repository: str, tag: str, manifest: Blob, annotations: Mapping[str, str]) -> None:
        """The manifest carries its own annotations here."""
        headers = {"content-type": manifest.media_type}
        await self._ask("PUT", f"{repository}/manifests/{tag}", (201,), content=manifest.data, headers=headers)

    async def _upload(self, location: str, blob: Blob) -> None:
        separator = "&" if "?" in location else "?"
        content = pieces(blob.path) if blob.path else blob.data
        headers = {"content-type": "application/octet-stream", "content-length": str(blob.size)}
        url = f"{location}{separator}digest={blob.digest}"
        _expect(await self._http.put(url, content=content, headers=headers, timeout=SECONDS), (201,))

    async def _ask(self, method: str, path: str, expected: tuple[int, ...], **more: object) -> httpx.Response:
        url = f"{self._address}/v2/{path}"
        answer = await self._http.request(method, url, timeout=SECONDS, **more)  # type: ignore[arg-type]
        return _expect(answer, expected)


def _expect(answer: httpx.Response, expected: tuple[int, ...]) -> httpx.Response:
    if answer.status_code not in expected:
        asked = f"{answer.request.method} {answer.request.url.path}"
        raise RegistryRefused(f"{asked}: {answer.status_code} {answer.text[:300]}")
    return answer


async def pieces(path: Path) -> AsyncIterator[bytes]:
    """A file, without holding it in memory."""
    with path.open("rb") as file:
        while piece := await asyncio.to_thread(file.read, CHUNK_BYTES):
            yield piece
