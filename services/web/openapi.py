"""One OpenAPI document out of those of all services: only what the gateway lets in, every name unique."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from services.chassis.names import module_name
from services.web.app import App
from services.web.remote import Remote, unless_resting

Document = dict[str, Any]
SERVICES = (
    *("identity", "items", "images", "texts", "search", "inference-sync", "inference-async", "inference-batch"),
    *("proxy", "image-builder", "trainer", "monitoring"),
)
EXTERNAL = ("/api/", "/v2")
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
FRESH_SECONDS = 30.0
OPEN_TO_ALL = {("post", "/api/identity/token"), ("post", "/api/identity/users")}
SCHEMES: Document = {
    "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    "password": {"type": "oauth2", "flows": {"password": {"tokenUrl": "/api/identity/token", "scopes": {}}}},
}
PROBLEM: Document = {
    "type": "object",
    "description": "RFC 9457: what went wrong, and where.",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["where", "what"],
                "properties": {name: {"type": "string"} for name in ("where", "what", "allowed")},
            },
        },
    },
}
REFUSAL: Document = {
    "description": "What went wrong.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
REPLACED = ("HTTPValidationError", "ValidationError")


class Merged:
    """The document, made again when it is old; what a silent service last said is kept."""

    def __init__(self, remote: Remote, title: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._remote, self._title, self._clock = remote, title, clock
        self._parts: dict[str, Document] = {}
        self._made: Document | None = None
        self._until = 0.0

    async def document(self) -> Document:
        """The merged document."""
        if self._made is None or self._clock() >= self._until:
            asked = {name: self._part(name) for name in SERVICES}
            for name, part in zip(asked, await asyncio.gather(*asked.values()), strict=True):
                if isinstance(part, dict) and "paths" in part:
                    self._parts[name] = part
            self._made = merged(self._parts, self._title)
            self._until = self._clock() + FRESH_SECONDS
        return self._made

    async def _part(self, name: str) -> Any:
        return await unless_resting(self._remote.json(name, "GET", "/openapi.json", within=2), None)


def merged(parts: Mapping[str, Document], title: str) -> Document:
    """One valid document of several."""
    paths: Document = {}
    schemas: Document = {"Problem": PROBLEM}
    for service in SERVICES:
        if service in parts:
            prefix = module_name(service)
            part = _renamed(parts[service], prefix)
            paths |= {path: _operations(path, item, prefix) for path, item in part["paths"].items() if _external(path)}
            schemas |= part.get("components", {}).get("schemas", {})
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": "1"},
        "tags": [{"name": module_name(name)} for name in SERVICES if name in parts],
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": SCHEMES},
    }


def _external(path: str) -> bool:
    return path.startswith(EXTERNAL)


def _renamed(part: Document, prefix: str) -> Document:
    schemas = part.get("components", {}).get("schemas", {})
    names = {f"#/components/schemas/{name}": f"#/components/schemas/{prefix}.{name}" for name in schemas}
    kept = {f"{prefix}.{name}": schema for name, schema in schemas.items() if name not in REPLACED}
    renamed: Document = _pointing(part | {"components": {"schemas": kept}}, names)
    return renamed


def _pointing(node: Any, names: Mapping[str, str]) -> Any:
    """The same with every reference to a schema renamed, discriminators too."""
    if isinstance(node, dict):
        return {key: _pointing(value, names) for key, value in node.items()}
    if isinstance(node, list):
        return [_pointing(value, names) for value in node]
    return names.get(node, node) if isinstance(node, str) else node


def _operations(path: str, item: Document, prefix: str) -> Document:
    return {key: _operation(key, path, value, prefix) if key in METHODS else value for key, value in item.items()}


def _operation(method: str, path: str, operation: Document, prefix: str) -> Document:
    answers = {status: answer for status, answer in operation.get("responses", {}).items() if status != "422"}
    named = f"{prefix}_{operation.get('operationId', f'{method}_{path}')}"
    return operation | {
        "operationId": named,
        "tags": [prefix],
        "responses": answers | {"default": REFUSAL},
        "security": _security(method, path),
    }


def _security(method: str, path: str) -> list[Document]:
    if (method, path) in OPEN_TO_ALL:
        return []
    needed: list[Document] = [{"token": []}, {"password": []}]
    return needed if path.startswith("/v2") or method != "get" else [{}, *needed]


def routes(app: App) -> APIRouter:
    """`/api/openapi.json`, and for people `/docs`, which `/api/docs` is too."""
    router = APIRouter(include_in_schema=False)
    document = Merged(app.remote, app.pages.app_name("en"))

    @router.get("/api/openapi.json")
    async def _document() -> Response:
        return JSONResponse(await document.document(), headers={"cache-control": "public, max-age=30"})

    @router.get("/docs")
    @router.get("/api/docs")
    async def _page(request: Request) -> Response:
        made = await document.document()
        return app.pages.draw(request, "api.html", services=by_service(made))

    return router


def by_service(document: Document) -> dict[str, list[Document]]:
    """What the page lists: the operations of each service with their parameters and bodies."""
    listed: dict[str, list[Document]] = {tag["name"]: [] for tag in document["tags"]}
    for path, item in document["paths"].items():
        for method in (name for name in METHODS if name in item):
            listed[item[method]["tags"][0]].append(_listed(method, path, item[method]))
    return listed


def _listed(method: str, path: str, operation: Document) -> Document:
    content = operation.get("requestBody", {}).get("content", {})
    return {
        "method": method.upper(),
        "path": path,
        "summary": operation.get("description") or operation.get("summary", ""),
        "parameters": operation.get("parameters", []),
        "bodies": {kind: _schema_name(body.get("schema", {})) for kind, body in content.items()},
        "answers": [status for status in operation["responses"] if status != "default"],
        "needs_token": bool(operation["security"]) and {} not in operation["security"],
    }


def _schema_name(schema: Document) -> str:
    return str(schema.get("$ref", "")).rsplit("/", 1)[-1]
