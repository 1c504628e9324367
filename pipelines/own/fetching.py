"""Brings what somebody names to this machine: a path stays where it is, an address is fetched once.

A download goes on where it was cut off, if the server can do that, and has its name only when it is whole.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urljoin, urlsplit

import httpx

from pipelines.progress import progress

RAW = Path("data/raw")
LARGEST_BYTES = 4_000_000_000
CHUNK_BYTES = 1 << 20
TIMEOUT_SECONDS = 60.0


class NotFetched(ValueError):
    """It is not there, cannot be had, or is too large."""


def is_address(data: str) -> bool:
    """Whether it is fetched."""
    return data.startswith(("http://", "https://"))


def brought(data: str, folder: Path = RAW, largest: int = LARGEST_BYTES) -> Path:
    """Where it lies on this machine; raises NotFetched."""
    if is_address(data):
        return fetched(data, folder, largest)
    path = Path(data.removeprefix("file://")).expanduser()
    if not path.exists():
        raise NotFetched(f"{data} is neither a path here nor an http(s) address")
    return path


def beside(data: str, name: str) -> str:
    """The file of that name in the same folder, or below the same address."""
    return urljoin(data, name) if is_address(data) else str(Path(data).with_name(name))


def fetched(address: str, folder: Path = RAW, largest: int = LARGEST_BYTES, client: httpx.Client | None = None) -> Path:
    """The file of an address, fetched unless it was before."""
    name = PurePosixPath(unquote(urlsplit(address).path)).name or "data"
    target = folder / hashlib.sha256(address.encode()).hexdigest()[:12] / name
    if target.is_file():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(name + ".part")
    own = client or httpx.Client(follow_redirects=True, timeout=TIMEOUT_SECONDS)
    try:
        _fetch(own, address, partial, largest)
    except httpx.HTTPError as error:
        raise NotFetched(f"{address}: {error!r}; what has come is kept, say the same again to go on") from error
    finally:
        if client is None:
            own.close()
    partial.replace(target)
    return target


def _fetch(client: httpx.Client, address: str, partial: Path, largest: int) -> None:
    have = partial.stat().st_size if partial.is_file() else 0
    with client.stream("GET", address, headers={"range": f"bytes={have}-"} if have else {}) as answer:
        if have and answer.status_code == 416:  # nothing is missing, or the server's file is another one now
            partial.unlink()
            raise NotFetched(f"{address}: what had come does not fit any more, say the same again to start over")
        if not answer.is_success:
            raise NotFetched(f"{address}: the server says {answer.status_code}")
        have = have if answer.status_code == 206 else 0
        total = have + int(answer.headers.get("content-length") or 0)
        if total > largest:
            raise NotFetched(f"{address}: {total} bytes are more than {largest}")
        with partial.open("ab" if have else "wb") as file:
            for chunk in _chunks(answer, have, total, partial.name.removesuffix(".part")):
                have += len(chunk)
                if have > largest:
                    raise NotFetched(f"{address}: more than {largest} bytes")
                file.write(chunk)
    if total and have != total:
        raise httpx.RemoteProtocolError(f"{have} of {total} bytes came")


def _chunks(answer: httpx.Response, have: int, total: int, what: str) -> Iterator[bytes]:
    number = max(1, -(-(total - have) // CHUNK_BYTES))
    return progress(answer.iter_raw(CHUNK_BYTES), total=number, what=f"fetching {what}, MB")
