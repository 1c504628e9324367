"""A container registry in memory, as strict as a real one: digests are checked, manifests name only what is there."""

import hashlib
import json
import re
from itertools import count
from typing import Any

import httpx

from tests.services.sources.tiny import FakeMlflow

BLOB = re.compile(r"/v2/(?P<repository>[a-z0-9_/]+)/blobs/(?P<digest>sha256:[0-9a-f]{64})")
START = re.compile(r"/v2/(?P<repository>[a-z0-9_/]+)/blobs/uploads/")
UPLOAD = re.compile(r"/v2/(?P<repository>[a-z0-9_/]+)/blobs/uploads/(?P<number>\d+)")
MANIFEST = re.compile(r"/v2/(?P<repository>[a-z0-9_/]+)/manifests/(?P<tag>[\w.:-]+)")


class Shelf:
    """Its blobs by repository, and what each tag names."""

    def __init__(self) -> None:
        self.blobs: dict[str, dict[str, bytes]] = {}
        self.tags: dict[tuple[str, str], bytes] = {}
        self.received: list[str] = []
        self._numbers = count(1)

    def manifest(self, repository: str, tag: str) -> dict[str, Any]:
        """The document that a tag names."""
        return dict(json.loads(self.tags[repository, tag]))

    def document(self, repository: str, descriptor: dict[str, Any]) -> dict[str, Any]:
        """A JSON blob."""
        return dict(json.loads(self.blobs[repository][descriptor["digest"]]))

    async def answer(self, request: httpx.Request) -> httpx.Response:
        """The part of the distribution API that pushing needs."""
        path, method = request.url.path, request.method
        if found := MANIFEST.fullmatch(path):
            if method == "HEAD" and "application/vnd.oci.image.manifest.v1+json" not in request.headers["accept"]:
                return httpx.Response(404, text="OCI manifest found, but accept header does not support OCI manifests")
            return self._manifest(method, found["repository"], found["tag"], await request.aread())
        if method == "HEAD" and (found := BLOB.fullmatch(path)):
            return httpx.Response(200 if found["digest"] in self.blobs.get(found["repository"], {}) else 404)
        if method == "POST" and (found := START.fullmatch(path)):
            return self._start(found["repository"], request.url.params)
        if method == "PUT" and (found := UPLOAD.fullmatch(path)):
            return self._finish(found["repository"], request, await request.aread())
        return httpx.Response(405)

    def _start(self, repository: str, query: httpx.QueryParams) -> httpx.Response:
        digest = query.get("mount", "")
        if digest in self.blobs.get(query.get("from", ""), {}):
            self.blobs.setdefault(repository, {})[digest] = self.blobs[query["from"]][digest]
            return httpx.Response(201)
        return httpx.Response(
            202, headers={"location": f"/v2/{repository}/blobs/uploads/{next(self._numbers)}?state=x"}
        )

    def _finish(self, repository: str, request: httpx.Request, data: bytes) -> httpx.Response:
        digest = request.url.params["digest"]
        assert request.url.params["state"] == "x"
        if sha256(data) != digest or int(request.headers["content-length"]) != len(data):
            return httpx.Response(400, text="DIGEST_INVALID")
        self.received.append(digest)
        self.blobs.setdefault(repository, {})[digest] = data
        return httpx.Response(201)

    def _manifest(self, method: str, repository: str, tag: str, body: bytes) -> httpx.Response:
        if method == "HEAD":
            there = self.tags.get((repository, tag))
            return (
                httpx.Response(200, headers={"docker-content-digest": sha256(there)}) if there else httpx.Response(404)
            )
        told = json.loads(body)
        for part in [told["config"], *told["layers"]]:
            held = self.blobs.get(repository, {}).get(part["digest"])
            if held is None or len(held) != part["size"]:
                return httpx.Response(400, text=f"MANIFEST_BLOB_UNKNOWN {part['digest']}")
        self.tags[repository, tag] = body
        return httpx.Response(201)


class Outside(httpx.AsyncBaseTransport):
    """What the builder can reach: a registry of models and one of images."""

    def __init__(self, mlflow: FakeMlflow, shelf: Shelf) -> None:
        self.mlflow, self.shelf = mlflow, shelf

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """By the name of the host."""
        if request.url.host == "registry":
            answer = await self.shelf.answer(request)
            answer.request = request
            return answer
        if request.url.path.endswith("/model-versions/get"):
            return self._version(request.url.params["name"], request.url.params["version"])
        return await self.mlflow.handle_async_request(request)

    def _version(self, name: str, number: str) -> httpx.Response:
        if name != "tiny" or number not in self.mlflow.tags:
            return httpx.Response(404, json={"error_code": "RESOURCE_DOES_NOT_EXIST"})
        tags = [{"key": key, "value": value} for key, value in self.mlflow.tags[number].items()]
        return httpx.Response(200, json={"model_version": {"name": name, "version": number, "tags": tags}})


def sha256(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
