"""Reads the one file of an upload into memory; nothing touches the disk before it is known to be a picture."""

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from services.chassis.errors import BadInput, Fault, Problem

MOST_BYTES = 10 * 1024 * 1024
AROUND_BYTES = 64 * 1024
"""What a multipart body may hold besides the file."""

FIELD = "file"
FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": [FIELD],
                    "properties": {FIELD: {"type": "string", "format": "binary"}},
                }
            }
        },
    }
}
"""The body, as the OpenAPI document tells it."""


class FileTooLarge(Problem):
    """The file is too large."""

    status = 413


class _InMemory(MultiPartParser):
    spool_max_size = MOST_BYTES + AROUND_BYTES


async def read_file(request: Request) -> bytes:
    """The bytes of the field; raises BadInput or FileTooLarge. The declared type is of no interest."""
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise _bad("the body is not a form", "multipart/form-data")
    try:
        form = await _InMemory(request.headers, request.stream(), max_files=1, max_fields=10).parse()
    except MultiPartException as error:
        raise _bad(error.message, f"multipart/form-data with one file, the field `{FIELD}`") from error
    except ClientDisconnect as error:
        raise BadInput("The upload was cut short.") from error
    try:
        found = form.get(FIELD)
        if not isinstance(found, UploadFile):
            raise _bad("is missing" if found is None else "is not a file", f"one file in the field `{FIELD}`")
        raw = await found.read()
    finally:
        await form.close()
    if len(raw) > MOST_BYTES:
        what = f"is {len(raw)} bytes"
        raise FileTooLarge("", Fault(where=f"body.{FIELD}", what=what, allowed=f"at most {MOST_BYTES} bytes"))
    return raw


def _bad(what: str, allowed: str) -> BadInput:
    return BadInput("", Fault(where=f"body.{FIELD}", what=what, allowed=allowed))
