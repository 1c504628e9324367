"""Sends the picture of a form to images."""

from starlette.datastructures import FormData, UploadFile

from services.web.app import App
from services.web.remote import Refused
from services.web.visit import Visit


async def sent(app: App, form: FormData) -> UploadFile | None:
    """The file of the form; none where none was chosen. Raises Refused when it is too large."""
    file = form.get("file")
    if not isinstance(file, UploadFile) or not file.filename:
        return None
    if (file.size or 0) > app.settings.web_max_upload_bytes:
        raise Refused(status=413)
    return file


async def uploaded(app: App, visit: Visit, file: UploadFile, content: bytes) -> str:
    """The id under which images keeps it."""
    files = {"file": (file.filename or "picture", content, file.content_type or "application/octet-stream")}
    answer = await app.remote.json("images", "POST", "/api/images", files=files, token=visit.token, within=12)
    return str(answer["id"])
