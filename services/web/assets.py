"""Style, scripts and pictures of the pages themselves: small, read once, named by their content."""

import hashlib
import logging
import mimetypes
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter, Request, Response

from services.chassis.errors import NotFound

log = logging.getLogger(__name__)
FOLDER = Path(__file__).parent / "static"
HTMX = "htmx.js"
A_YEAR = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class Asset:
    """One file."""

    content: bytes
    media_type: str
    digest: str


class Assets:
    """All files that pages may name."""

    def __init__(self, htmx: Path) -> None:
        files = {path.name: path for path in sorted(FOLDER.iterdir()) if path.is_file()}
        if htmx.is_file():
            files[HTMX] = htmx
        else:
            log.warning("no %s: pages work without it", htmx, extra={"action": "script.missing"})
        self._assets = {name: _asset(path) for name, path in files.items()}

    def __contains__(self, name: str) -> bool:
        return name in self._assets

    def url(self, name: str) -> str:
        """Where browsers get it; changes when the file does."""
        return f"/static/{name}?v={self._assets[name].digest}"

    def get(self, name: str) -> Asset:
        """The file; raises NotFound."""
        if name not in self._assets:
            raise NotFound(f"There is no file {name}.")
        return self._assets[name]


def _asset(path: Path) -> Asset:
    content = path.read_bytes()
    kind = "text/javascript" if path.suffix == ".js" else mimetypes.guess_type(path.name)[0]
    return Asset(content, kind or "application/octet-stream", hashlib.sha256(content).hexdigest()[:12])


def routes(assets: Assets) -> APIRouter:
    """`/static/NAME`, kept by browsers for as long as the address stays."""
    router = APIRouter(include_in_schema=False)

    @router.get("/static/{name}")
    async def _file(name: str, request: Request) -> Response:
        asset = assets.get(name)
        headers = {"etag": f'"{asset.digest}"', "cache-control": A_YEAR}
        if request.headers.get("if-none-match") == headers["etag"]:
            return Response(status_code=304, headers=headers)
        return Response(asset.content, media_type=asset.media_type, headers=headers)

    @router.get("/favicon.ico")
    async def _icon() -> Response:
        return Response(assets.get("logo.svg").content, media_type="image/svg+xml")

    return router
