"""Where images go: a registry, or a folder in the OCI layout. Both keep blobs by digest and never change a tag."""

from collections.abc import Mapping
from typing import Protocol

from services.image_builder.oci import Blob


class Destination(Protocol):
    """The seam between building and keeping."""

    def reference(self, repository: str, tag: str) -> str:
        """How people name what was put there."""
        ...

    async def put(self, repository: str, blob: Blob, *, shared_by: str | None = None) -> int:
        """Keep a blob; returns the bytes that had to be sent: none for what is there, or in the repository beside."""
        ...

    async def tagged(self, repository: str, tag: str) -> str | None:
        """The digest that the tag names."""
        ...

    async def tag(self, repository: str, tag: str, manifest: Blob, annotations: Mapping[str, str]) -> None:
        """Keep a manifest whose blobs are there, under that tag."""
        ...
