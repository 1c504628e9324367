"""The HTTP face: which images there are, and building one on demand."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from services.chassis.auth import Operator
from services.image_builder import records
from services.image_builder.building import NO_BASE, Builder, Outcome
from services.image_builder.records import Stored

NAME = r"^[a-z0-9]+(_[a-z0-9]+)*$"
TAG = r"^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$"


class Wanted(BaseModel):
    """What to build."""

    model: str = Field(pattern=NAME, max_length=60, description="The model, as its folder is called.")
    version: str | None = Field(None, pattern=r"^[0-9]{1,9}$", description="A registered version; none: the champion.")
    tag: str | None = Field(None, pattern=TAG, description="Another tag than the version.")


class Built(BaseModel):
    """What is in the registry now; without a base, the model alone."""

    reference: str
    digest: str
    bytes_pushed: int
    seconds: float
    image: Stored | None
    artefact: Stored
    note: str | None = None


class Images(BaseModel):
    """The last that were built, the newest first."""

    images: list[Stored]


def routes(builder: Builder) -> APIRouter:
    """For operators."""
    router = APIRouter(prefix="/api/image-builder", tags=["image-builder"])

    @router.get("/images")
    async def _images(
        caller: Operator, name: str | None = None, limit: Annotated[int, Query(ge=1, le=200)] = 50
    ) -> Images:
        """What was built, images and models alone."""
        return Images(images=list(await records.newest(builder.database, name, limit)))

    @router.post("/images", status_code=201, responses={200: {"model": Built, "description": "It is there already."}})
    async def _build(wanted: Wanted, caller: Operator, response: Response) -> Built:
        """Build a version into an image. The same version on the same base is the same image."""
        release = await builder.release(wanted.model, wanted.version)
        outcome = await builder.build(release, wanted.tag, caller.name)
        response.status_code = 201 if outcome.new else 200
        return answered(outcome)

    return router


def answered(outcome: Outcome) -> Built:
    """The image where there is one, else the model alone and why."""
    main = outcome.image or outcome.artefact
    return Built(
        reference=main.reference,
        digest=main.digest,
        bytes_pushed=outcome.bytes_pushed,
        seconds=outcome.seconds,
        image=outcome.image,
        artefact=outcome.artefact,
        note=None if outcome.image else NO_BASE,
    )
