"""The file store, by URL: a folder by default, S3 where a team has it."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import fsspec


class FileNotStored(Exception):
    """The file store has no such file."""


class FileStore:
    """Whole files by path below one root. Blocking calls run in threads."""

    def __init__(self, url: str) -> None:
        self._fs, self._root = fsspec.url_to_fs(url)

    async def write(self, path: str, content: bytes) -> None:
        """Store a file; readers see all of it or nothing."""
        await asyncio.to_thread(self._write, path, content)

    async def read(self, path: str) -> bytes:
        """The content; raises FileNotStored."""
        try:
            return bytes(await asyncio.to_thread(self._fs.cat_file, self._full(path)))
        except FileNotFoundError as error:
            raise FileNotStored(path) from error

    async def exists(self, path: str) -> bool:
        """Whether there is such a file."""
        return bool(await asyncio.to_thread(self._fs.exists, self._full(path)))

    async def delete(self, path: str) -> None:
        """Remove a file; a missing one is fine."""
        await asyncio.to_thread(_ignoring_missing, self._fs.rm_file, self._full(path))

    def _full(self, path: str) -> str:
        return f"{self._root.rstrip('/')}/{path}"

    def _write(self, path: str, content: bytes) -> None:
        full = self._full(path)
        self._fs.makedirs(full.rsplit("/", 1)[0], exist_ok=True)
        partial = f"{full}.{uuid4().hex}.partial"
        self._fs.pipe_file(partial, content)
        self._fs.mv(partial, full)


def _ignoring_missing(remove: Callable[[str], Any], path: str) -> None:
    try:
        remove(path)
    except FileNotFoundError:
        return
