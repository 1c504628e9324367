"""The HTTP face of images."""

from typing import Annotated, Literal

from fastapi import APIRouter, Header, Path, Request, Response
from pydantic import BaseModel

from services.chassis.auth import Anybody, SignedIn
from services.chassis.database import Database
from services.chassis.files import FileStore
from services.contracts import PICTURE_SIZES, picture_path
from services.images import keeping
from services.images.enlarging import ENLARGED, Enlarging
from services.images.keeping import Kept
from services.images.line import Line
from services.images.preparing import Prepared, heavy, prepare
from services.images.uploads import FORM, read_file

PictureId = Annotated[str, Path(pattern="^[0-9a-f]{64}$")]
MAX_AGE_SECONDS = 60
"""Pictures never change, but may have to disappear: longer than this nobody may keep one unasked."""


class Picture(BaseModel):
    """A stored picture."""

    id: str
    width: int
    height: int
    format: str
    size_bytes: int
    urls: dict[str, str]

    @classmethod
    def of(cls, kept: Kept | Prepared, *, small: bool) -> "Picture":
        """Of what is stored, or was just now; a small one can be had enlarged too."""
        sizes = (*PICTURE_SIZES, ENLARGED) if small else PICTURE_SIZES
        urls = {size: f"/api/images/{kept.id}/{size}" for size in sizes}
        return cls(
            id=kept.id, width=kept.width, height=kept.height, format=kept.format, size_bytes=kept.size_bytes, urls=urls
        )


def routes(database: Database, files: FileStore, line: Line, enlarging: Enlarging) -> APIRouter:
    """All of them."""
    router = APIRouter(prefix="/api/images", tags=["images"])

    def told(picture: Kept | Prepared) -> Picture:
        return Picture.of(picture, small=enlarging.takes(picture.width, picture.height))

    @router.post("", status_code=201, openapi_extra=FORM)
    async def upload(request: Request, caller: SignedIn, response: Response) -> Picture:
        """Upload a JPEG, PNG or WebP picture: it is turned upright, its metadata goes, and it is yours to show."""
        async with line.place():
            raw = await read_file(request)
            picture = await line.work(prepare, raw, heavy=heavy(raw))
            await keeping.keep(database, files, picture, caller.id)
        response.headers["Location"] = f"/api/images/{picture.id}"
        return told(picture)

    @router.get("/{image_id}")
    async def one(image_id: PictureId, caller: Anybody) -> Picture:
        """What is known of a picture: while a published item shows it for everybody, else for who uploaded it."""
        return told(await keeping.seen(database, image_id, caller))

    @router.get("/{image_id}/enlarged", response_class=Response)
    async def enlarged(image_id: PictureId, caller: Anybody, if_none_match: Annotated[str, Header()] = "") -> Response:
        """A small picture twice as wide and high, as PNG; `X-Enlarged-By` says by which version, or `bicubic`."""
        kept = await keeping.seen(database, image_id, caller)
        version = await enlarging.version(kept.id)
        if version and _known(_headers(kept, f"{ENLARGED}-{version}"), if_none_match):
            return Response(status_code=304, headers=_headers(kept, f"{ENLARGED}-{version}"))
        made = await enlarging.of(kept, version)
        headers = _headers(kept, f"{ENLARGED}-{made.version}") | {"X-Enlarged-By": made.by}
        if made.version is None:  # the next time the model may be there
            headers = {name: value for name, value in headers.items() if name != "ETag"} | {"Cache-Control": "no-store"}
        return Response(made.content, headers=headers, media_type="image/png")

    @router.get("/{image_id}/{size}", response_class=Response)
    async def content(
        image_id: PictureId,
        size: Literal["original", "large", "thumbnail"],
        caller: Anybody,
        if_none_match: Annotated[str, Header()] = "",
    ) -> Response:
        """The picture itself."""
        kept = await keeping.seen(database, image_id, caller)
        headers = _headers(kept, size)
        if _known(headers, if_none_match):
            return Response(status_code=304, headers=headers)
        kind = kept.format if size == "original" else "jpeg"
        return Response(await files.read(picture_path(kept.id, size)), headers=headers, media_type=f"image/{kind}")

    return router


def _known(headers: dict[str, str], if_none_match: str) -> bool:
    """Whether who asks has it already."""
    return headers["ETag"] in (tag.strip().removeprefix("W/") for tag in if_none_match.split(","))


def _headers(kept: Kept, size: str) -> dict[str, str]:
    return {
        "ETag": f'"{kept.id}-{size}"',
        "Cache-Control": f"{'public' if kept.public else 'private'}, max-age={MAX_AGE_SECONDS}",
        "Vary": "Authorization, Cookie",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'",
    }
